package bugset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"breakfix/internal/bug"
	"breakfix/internal/strategy"
	"breakfix/internal/tree"
)

// The files of a set. bugs/ID are the artifacts.
const (
	setFile        = "set.json"
	bugsDir        = "bugs"
	bugsFile       = "bugs.jsonl"
	candidatesFile = "candidates.jsonl"
	looksFile      = "looks.jsonl"
	summaryFile    = "summary.json"
	splitsFile     = "splits.json"
	cardFile       = "README.md"
)

// format of a set's folder.
const format = 1

// Head is set.json: what a set was told, and of what it is made. It does not
// change.
type Head struct {
	Format   int             `json:"format"`
	Breakfix string          `json:"breakfix"` // version
	Created  string          `json:"created"`
	Seed     uint64          `json:"seed"`
	Config   json.RawMessage `json:"config"`
	Sources  []HeadSource    `json:"sources"`
}

// HeadSource is one source of a set.
type HeadSource struct {
	Source      string      `json:"source"`
	Name        string      `json:"name"`
	Version     string      `json:"version"`
	Revision    string      `json:"revision,omitempty"`
	Licence     string      `json:"licence"` // "" is unknown
	Snapshot    tree.Digest `json:"snapshot"`
	Environment tree.Digest `json:"environment"`
	Embedded    bool        `json:"embedded"` // the base stands in every artifact, because it cannot be fetched
	Python      string      `json:"python"`
	Tests       int         `json:"tests"` // that pass on the base
}

// HeadOf describes a source.
func HeadOf(s Source) HeadSource {
	snap := s.Target.Snapshot
	return HeadSource{
		Source: snap.Source, Name: snap.Name, Version: snap.Version, Revision: snap.Revision, Licence: snap.Licence, Snapshot: snap.Digest,
		Environment: s.Environment, Embedded: snap.Local, Python: s.Target.Recipe.Version, Tests: len(s.Target.Base.Results.Passed()),
	}
}

// SetError says what is wrong with a folder that should hold a set, or be
// free for one, and what to do. It is bad input.
type SetError struct{ Reason, Next string }

// Error gives the reason and the next step.
func (e *SetError) Error() string { return e.Reason + "; " + e.Next }

func damaged(what, why string) error {
	return &SetError{fmt.Sprintf("%s is damaged: %s", what, why), "make a new set with another -o"}
}

// Set is a set's folder, open for writing by this process alone.
type Set struct {
	dir    string
	head   Head
	lock   *os.File // set.json
	bugs   *os.File
	judged *os.File // candidates.jsonl
	looked *os.File // looks.jsonl
}

// Vacant tells whether a set can be made at dir: nothing is there, or an empty
// folder.
func Vacant(dir string) bool {
	entries, err := os.ReadDir(dir)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0
}

// Create makes a set's folder. It appears complete or not at all.
func Create(dir string, h Head) (*Set, error) {
	if !Vacant(dir) {
		return nil, &SetError{fmt.Sprintf("%s exists and is not empty", dir), "name another folder with -o"}
	}
	h.Format = format
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("create the set: %w", err)
	}
	half, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".new-")
	if err != nil {
		return nil, fmt.Errorf("create the set: %w", err)
	}
	defer os.RemoveAll(half)
	s := &Set{dir: half, head: h}
	err = errors.Join(os.Chmod(half, 0o755), os.Mkdir(s.path(bugsDir), 0o755), writeJSON(s.path(setFile), h),
		os.WriteFile(s.path(bugsFile), nil, 0o644), os.WriteFile(s.path(candidatesFile), nil, 0o644), os.WriteFile(s.path(looksFile), nil, 0o644), s.save(empty(h)))
	if err != nil {
		return nil, fmt.Errorf("create the set: %w", err)
	}
	// rename(2) puts the folder in place of nothing or of an empty folder only.
	if err := unix.Rename(half, dir); err != nil {
		return nil, fmt.Errorf("create the set: %w", err)
	}
	return Resume(dir)
}

// ReadHead reads set.json of a folder; it is a *SetError when there is none.
func ReadHead(dir string) (Head, error) {
	var h Head
	b, err := os.ReadFile(filepath.Join(dir, setFile))
	if err != nil {
		return h, &SetError{fmt.Sprintf("%s exists, is not empty and holds no set of bugs", dir), "name another folder with -o"}
	}
	if err := json.Unmarshal(b, &h); err != nil || h.Format < 1 || len(h.Sources) == 0 {
		return h, damaged(filepath.Join(dir, setFile), "it is no description of a set")
	}
	if h.Format > format {
		return h, &SetError{fmt.Sprintf("%s was made by a newer breakfix (%s)", dir, h.Breakfix), "use that one, or name another folder with -o"}
	}
	return h, nil
}

// Resume opens a set to go on with it. What a process that was killed left
// half written is taken away.
func Resume(dir string) (s *Set, err error) {
	s = &Set{dir: dir}
	if s.head, err = ReadHead(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
			s = nil
		}
	}()
	if s.lock, err = os.Open(s.path(setFile)); err != nil {
		return s, err
	}
	if err := unix.Flock(int(s.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return s, &SetError{fmt.Sprintf("another breakfix works on %s", dir), "wait until it ends, or name another folder with -o"}
	}
	if s.bugs, err = os.OpenFile(s.path(bugsFile), os.O_RDWR|os.O_APPEND, 0); err != nil {
		return s, damaged(dir, err.Error())
	}
	if s.judged, err = os.OpenFile(s.path(candidatesFile), os.O_RDWR|os.O_APPEND, 0); err != nil {
		return s, damaged(dir, err.Error())
	}
	// A set of before looks were kept has none: they are made once more.
	if s.looked, err = os.OpenFile(s.path(looksFile), os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o644); err != nil {
		return s, damaged(dir, err.Error())
	}
	return s, errors.Join(cutTail(s.judged), cutTail(s.looked))
}

// Close lets go of the folder.
func (s *Set) Close() error {
	var errs []error
	for _, f := range []*os.File{s.bugs, s.judged, s.looked, s.lock} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// Dir is the set's folder.
func (s *Set) Dir() string { return s.dir }

// Head is what the set was told.
func (s *Set) Head() Head { return s.head }

// BugDir is the folder of an artifact.
func (s *Set) BugDir(id string) string { return filepath.Join(s.dir, bugsDir, filepath.Base(id)) }

func (s *Set) path(name string) string { return filepath.Join(s.dir, name) }

// put keeps a candidate, and its bug first: the line of a candidate says that
// everything about it is there.
func (s *Set) put(c Candidate, b *bug.Bug) error {
	if b != nil {
		if err := b.Write(s.BugDir(b.ID)); err != nil {
			return err
		}
		line, err := b.MarshalLine()
		if err != nil {
			return err
		}
		if _, err := s.bugs.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("write %s: %w", bugsFile, err)
		}
	}
	return putLine(s.judged, c)
}

// look is one line of looks.jsonl: what a screen saw.
type look struct {
	Origin int `json:"origin"`
	strategy.Look
}

// putLook keeps what a screen saw; several sources may do so at the same time.
func (s *Set) putLook(origin int, l strategy.Look) error {
	return putLine(s.looked, look{origin, l})
}

func putLine(f *os.File, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(f.Name()), err)
	}
	return nil
}

// candidates are those that were judged so far, in order.
func (s *Set) candidates() iter.Seq2[Candidate, error] {
	return lines[Candidate](s.path(candidatesFile))
}

// looks are what the screens saw so far.
func (s *Set) looks() iter.Seq2[look, error] { return lines[look](s.path(looksFile)) }

func lines[T any](name string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for l, err := range fileLines(name) {
			var v T
			if err == nil {
				err = json.Unmarshal(l.text, &v)
			}
			if err != nil {
				err = damaged(name, err.Error())
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// mend makes bugs/ and bugs.jsonl agree with the bugs of the candidates: what
// is of a candidate that has no line goes, and is made again.
func (s *Set) mend(ids []string) error {
	known := map[string]bool{}
	for _, id := range ids {
		known[id] = true
	}
	entries, err := os.ReadDir(s.path(bugsDir))
	if err != nil {
		return damaged(s.dir, err.Error())
	}
	for _, e := range entries {
		if !known[e.Name()] {
			if err := os.RemoveAll(filepath.Join(s.path(bugsDir), e.Name())); err != nil {
				return err
			}
		}
	}
	good, n := int64(0), 0
	for l, err := range fileLines(s.path(bugsFile)) {
		var line struct {
			Bug struct {
				ID string `json:"id"`
			} `json:"bug"`
		}
		if err != nil || !l.whole || n == len(ids) || json.Unmarshal(l.text, &line) != nil || line.Bug.ID != ids[n] {
			break
		}
		n++
		good = l.end
	}
	if err := s.bugs.Truncate(good); err != nil {
		return err
	}
	for _, id := range ids[n:] {
		b, err := bug.Load(s.BugDir(id))
		if err != nil {
			return damaged(s.BugDir(id), err.Error())
		}
		line, err := b.MarshalLine()
		if err != nil {
			return err
		}
		if _, err := s.bugs.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// save writes what is about the whole set.
func (s *Set) save(sum Summary) error {
	return errors.Join(writeJSON(s.path(summaryFile), sum), writeJSON(s.path(splitsFile), splitsOf(sum)), writeWhole(s.path(cardFile), card(s.head, sum)))
}

// Summary is the summary as it was saved last.
func (s *Set) Summary() (Summary, error) {
	var sum Summary
	b, err := os.ReadFile(s.path(summaryFile))
	if err == nil {
		err = json.Unmarshal(b, &sum)
	}
	if err != nil {
		return sum, damaged(s.path(summaryFile), err.Error())
	}
	return sum, nil
}

func writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(name, append(b, '\n'))
}

// writeWhole replaces a file: it has the old or the new content, never half.
func writeWhole(name string, b []byte) error {
	part := name + ".part"
	if err := os.WriteFile(part, b, 0o644); err != nil {
		return err
	}
	return os.Rename(part, name)
}
