package eval

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// Config is what all lines of a file share: what the results follow from,
// beside variant and seed.
type Config struct {
	Sources []string `json:"sources"`
	HeldOut []string `json:"held_out"`
	Budget  int      `json:"budget"` // steps of the fixer
	Group   int      `json:"group"`
	Steps   int      `json:"steps"` // of an attempt
	Order   int      `json:"order"`
	Learn   int      `json:"learn"`
	Warm    int      `json:"warm"`
	Bugs    int      `json:"bugs"`  // held out, at most
	Judge   int      `json:"judge"` // steps of the one attempt at each of them
	// What of the sources is taken, as the flags of that name say.
	At             string   `json:"at,omitempty"`
	Only           []string `json:"only,omitempty"`
	Exclude        []string `json:"exclude,omitempty"`
	Tests          []string `json:"tests,omitempty"`
	Python         string   `json:"python,omitempty"`
	Env            []string `json:"env,omitempty"`
	TestSeconds    float64  `json:"test_seconds"`
	DeadlineFloor  float64  `json:"deadline_floor"`
	DeadlineFactor float64  `json:"deadline_factor"`
}

// Machine is where a line was measured.
type Machine struct {
	System string `json:"system"`
	CPU    string `json:"cpu,omitempty"`
	Cores  int    `json:"cores"`
}

// Line is one cell as it was measured.
type Line struct {
	Variant   string             `json:"variant"`
	Seed      uint64             `json:"seed"`
	Config    Config             `json:"config"`
	Command   string             `json:"command"`
	Breakfix  string             `json:"breakfix"`
	Commit    string             `json:"commit,omitempty"` // that the program was built of; "+" after it: with changes
	Machine   Machine            `json:"machine"`
	Created   string             `json:"created"` // RFC 3339
	Run       string             `json:"run"`     // folder of the run, from the file's
	Snapshots []string           `json:"snapshots"`
	Workers   int                `json:"workers"`
	Ending    string             `json:"ending"`
	Episodes  int                `json:"episodes"`
	Steps     int                `json:"steps"`    // of the fixer, in play
	Seconds   map[string]float64 `json:"seconds"`  // play, judge: wall time
	Versions  int                `json:"versions"` // made after the first
	Accepted  int                `json:"accepted"`
	Version   string             `json:"version"` // that was judged
	Bugs      []string           `json:"bugs"`    // held out: source and mutation
	Solved    []int              `json:"solved"`  // by bug: the step that solved it, 0: none
}

// FileError is a file of results that cannot be gone on with.
type FileError struct{ Reason, Next string }

func (e *FileError) Error() string { return e.Reason + e.Next }

// File is the results of an ablation. What was appended is there also after a
// crash; a line that was cut off is dropped.
type File struct {
	Path  string
	Lines []Line
	whole int64 // bytes of whole lines
}

const nextFile = "; name another file with -o"

// Open reads a file; one that is not there is empty.
func Open(path string) (*File, error) {
	f := &File{Path: path}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, &FileError{fmt.Sprintf("cannot read %s: %v", path, err), nextFile}
	}
	f.whole = int64(bytes.LastIndexByte(b, '\n') + 1)
	rest := b[f.whole:]
	if head := []byte(`{"variant":`); !bytes.HasPrefix(rest, head) && !bytes.HasPrefix(head, rest) { // not cut off: not ours
		return nil, &FileError{path + " is no file of results of an ablation", nextFile}
	}
	for n, row := range bytes.SplitAfter(b[:f.whole], []byte("\n")) {
		if len(bytes.TrimSpace(row)) == 0 {
			continue
		}
		var l Line
		d := json.NewDecoder(bytes.NewReader(row))
		d.DisallowUnknownFields()
		err := d.Decode(&l)
		if err == nil {
			_, err = Lookup([]string{l.Variant})
		}
		if err == nil && (len(l.Bugs) != len(l.Solved) || len(l.Bugs) == 0) {
			err = fmt.Errorf("%d bugs, %d results", len(l.Bugs), len(l.Solved))
		}
		if err == nil && f.Has(l.Variant, l.Seed) {
			err = fmt.Errorf("%s with seed %d is there twice", l.Variant, l.Seed)
		}
		if err == nil && len(f.Lines) > 0 && !slices.Equal(l.Bugs, f.Lines[0].Bugs) {
			err = errors.New("it was judged on other bugs than the first")
		}
		if err != nil {
			return nil, &FileError{fmt.Sprintf("line %d of %s is no result of an ablation, or not of this one: %v", n+1, path, err), nextFile}
		}
		f.Lines = append(f.Lines, l)
	}
	return f, nil
}

// Has reports whether a cell was measured.
func (f *File) Has(variant string, seed uint64) bool {
	return slices.ContainsFunc(f.Lines, func(l Line) bool { return l.Variant == variant && l.Seed == seed })
}

// Same refuses a file whose lines were measured with another configuration.
func (f *File) Same(now Config) error {
	for _, l := range f.Lines {
		if diff := diffOf(l.Config, now); len(diff) > 0 {
			return &FileError{fmt.Sprintf("%s holds results of another configuration:\n%s\n", f.Path, strings.Join(diff, "\n")), "  next: name another file with -o"}
		}
	}
	return nil
}

// SameCode refuses a file that was measured on other code or other bugs.
func (f *File) SameCode(snapshots, bugs []string) error {
	for _, l := range f.Lines {
		switch {
		case !slices.Equal(l.Snapshots, snapshots):
			return &FileError{fmt.Sprintf("the code that %s was measured on has changed since", f.Path), nextFile + ", or bring the code back as it was"}
		case !slices.Equal(l.Bugs, bugs):
			return &FileError{fmt.Sprintf("the held-out bugs are not those that %s was measured on", f.Path), nextFile}
		}
	}
	return nil
}

func diffOf(was, now Config) []string {
	a, b := fields(was), fields(now)
	both := maps.Clone(a)
	maps.Copy(both, b)
	var diff []string
	for _, k := range slices.Sorted(maps.Keys(both)) {
		old, there := a[k]
		mine, here := b[k]
		if string(old) == string(mine) {
			continue
		}
		if there {
			diff = append(diff, fmt.Sprintf("  -%s: %s", k, old))
		}
		if here {
			diff = append(diff, fmt.Sprintf("  +%s: %s", k, mine))
		}
	}
	return diff
}

func fields(c Config) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	b, err := json.Marshal(c)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic(err) // a structure of texts and numbers
	}
	return out
}

// Append adds a cell that was measured.
func (f *File) Append(l Line) error {
	row, err := json.Marshal(l)
	if err != nil {
		return err
	}
	row = append(row, '\n')
	out, err := os.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return &FileError{fmt.Sprintf("cannot write %s: %v", f.Path, err), nextFile}
	}
	defer out.Close()
	if err := out.Truncate(f.whole); err != nil { // what was cut off
		return err
	}
	if _, err := out.WriteAt(row, f.whole); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	f.whole += int64(len(row))
	f.Lines = append(f.Lines, l)
	return out.Close()
}
