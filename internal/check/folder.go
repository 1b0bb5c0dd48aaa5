package check

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"breakfix/internal/tree"
)

// The files of a results folder. The plan's name is its mark: a folder that
// has it holds a check.
const (
	PlanFile    = "breakfix-check.json"
	SummaryFile = "summary.json"
	lockFile    = "lock"
	planFormat  = 1
)

// FolderError says that a results folder cannot be used as it was asked for:
// bad input.
type FolderError struct{ Reason, Next string }

// Error gives the reason and the next step.
func (e *FolderError) Error() string {
	if e.Next == "" {
		return e.Reason
	}
	return e.Reason + "; " + e.Next
}

// Folder is a results folder that is written to. Each result is stored before
// the next is judged, in one write: a process that is killed loses none that
// was stored. While one process writes, others may read.
type Folder struct {
	Dir     string
	plan    Plan
	lock    *os.File
	results *os.File
}

// HoldsCheck reports whether dir is a results folder.
func HoldsCheck(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, PlanFile))
	return err == nil && info.Mode().IsRegular()
}

// Take makes a results folder, or takes one that holds a check already, and
// locks it. Nothing else may be in it. Close lets go of it.
func Take(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, &FolderError{fmt.Sprintf("no results folder can be made at %s: %v", dir, err), "name another one with -o"}
	}
	if !HoldsCheck(dir) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Name() != lockFile && e.Name() != ".gitignore" {
				return nil, &FolderError{fmt.Sprintf("%s is not empty and holds no check: %s is in it", dir, e.Name()), "name another folder with -o"}
			}
		}
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, &FolderError{fmt.Sprintf("%s cannot be written to: %v", dir, err), "name another folder with -o"}
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &FolderError{dir + " is being written to by another check", "wait until it ends, stop it, or name another folder with -o"}
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return &Folder{Dir: dir, lock: lock}, nil
}

// Begin stores the plan and opens the folder for results; kept are those that
// it begins with. What the folder held before is replaced, but for diffs and
// logs of mutations that are kept.
func (f *Folder) Begin(p Plan, kept map[string]Result) error {
	p.Format = planFormat
	p.Results = "results-1.jsonl"
	var old Plan
	if err := readJSON(filepath.Join(f.Dir, PlanFile), &old); err == nil {
		n := 0
		fmt.Sscanf(old.Results, "results-%d.jsonl", &n)
		p.Results = fmt.Sprintf("results-%d.jsonl", n+1)
	}
	for _, dir := range []string{"diffs", "logs"} {
		if err := f.clear(dir, kept); err != nil {
			return err
		}
	}
	// A tree that holds the folder shall not show it to git.
	if err := os.WriteFile(filepath.Join(f.Dir, ".gitignore"), []byte("*\n"), 0o644); err != nil {
		return err
	}
	os.Remove(filepath.Join(f.Dir, SummaryFile)) // of what ended before
	var lines bytes.Buffer
	for _, r := range kept {
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		lines.Write(append(b, '\n'))
	}
	name := filepath.Join(f.Dir, p.Results)
	if err := os.WriteFile(name, lines.Bytes(), 0o644); err != nil {
		return err
	}
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	// The results are there before the plan that names them, and the old ones go after it.
	if err := replaceFile(filepath.Join(f.Dir, PlanFile), b, 0o644); err != nil {
		return err
	}
	if old.Results != "" && filepath.Base(old.Results) == old.Results {
		os.Remove(filepath.Join(f.Dir, old.Results))
	}
	f.plan = p
	f.results, err = os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0o644)
	return err
}

// clear makes a folder below, and takes out of it what belongs to no kept mutation.
func (f *Folder) clear(dir string, kept map[string]Result) error {
	full := filepath.Join(f.Dir, dir)
	if err := os.MkdirAll(full, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(full)
	if err != nil {
		return err
	}
	for _, e := range entries {
		id, _, _ := strings.Cut(e.Name(), ".")
		if _, ok := kept[id]; !ok {
			if err := os.Remove(filepath.Join(full, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// DiffFile and LogFile are where a folder keeps the diff and the log of a mutation.
func DiffFile(dir, id string) string { return filepath.Join(dir, "diffs", id+".diff") }

// LogFile is DiffFile for the log.
func LogFile(dir, id string) string { return filepath.Join(dir, "logs", id+".txt") }

// Store keeps a result, and with it the diff and the log of its mutation. A
// later result of the same mutation takes the place of an earlier one.
func (f *Folder) Store(r Result, log []byte) error {
	diff, err := f.plan.Diff(r.Mutation)
	if err != nil {
		return err
	}
	if err := os.WriteFile(DiffFile(f.Dir, r.Mutation.ID), diff, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(LogFile(f.Dir, r.Mutation.ID), log, 0o644); err != nil {
		return err
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = f.results.Write(append(b, '\n'))
	return err
}

// Write puts a file of the report into the folder, whole or not at all.
func (f *Folder) Write(name string, b []byte) error {
	return replaceFile(filepath.Join(f.Dir, name), b, 0o644)
}

// Close lets go of the folder.
func (f *Folder) Close() error {
	var err error
	if f.results != nil {
		err = f.results.Close()
	}
	if f.lock != nil {
		f.lock.Close()
	}
	return err
}

// Read reads a results folder, also one that is being written to: what it holds
// at the moment. What is damaged or of another version is a *FolderError.
func Read(dir string) (*Record, error) {
	r := &Record{Ended: Unfinished}
	name := filepath.Join(dir, PlanFile)
	switch err := readJSON(name, &r.Plan); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &FolderError{dir + " holds no check: it has no " + PlanFile, "name a folder that breakfix check -o made"}
	case err != nil:
		return nil, &FolderError{fmt.Sprintf("%s cannot be read: %v", name, err), "check again, with another folder"}
	case r.Plan.Format != planFormat:
		return nil, &FolderError{fmt.Sprintf("%s has the format %d, and this version of breakfix knows %d", name, r.Plan.Format, planFormat), "check again, with another folder"}
	case filepath.Base(r.Plan.Results) != r.Plan.Results:
		return nil, &FolderError{fmt.Sprintf("%s names %q for its results, which is no file beside it", name, r.Plan.Results), "check again, with another folder"}
	}
	if err := r.readResults(filepath.Join(dir, r.Plan.Results)); err != nil {
		return nil, err
	}
	var s struct {
		Ended   Ending             `json:"ended"`
		Seconds map[string]float64 `json:"seconds"`
	}
	name = filepath.Join(dir, SummaryFile)
	switch err := readJSON(name, &s); {
	case err == nil:
		r.Ended, r.Seconds = s.Ended, s.Seconds
	case !errors.Is(err, fs.ErrNotExist):
		return nil, &FolderError{fmt.Sprintf("%s cannot be read: %v", name, err), "remove it, and go on with --resume"}
	}
	return r, nil
}

// readResults reads the lines of results; a last one that was cut off is left out.
func (r *Record) readResults(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return &FolderError{fmt.Sprintf("the results cannot be read: %v", err), "check again, with another folder"}
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	at := map[string]int{}
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err != nil { // no newline: cut off, or nothing
			return nil
		}
		var one Result
		if err := json.Unmarshal(line, &one); err != nil || one.Mutation.ID == "" || one.Outcome == "" {
			return &FolderError{fmt.Sprintf("%s:%d is no result: %v", name, n, err), "take the line out, and go on with --resume: its mutation is then judged again"}
		}
		if text, ok := r.Plan.Files[one.Mutation.Path]; !ok || !fits(one.Mutation.Edits, len(text)) {
			return &FolderError{fmt.Sprintf("%s:%d is of a place in %q that the plan does not have", name, n, one.Mutation.Path), "check again, with another folder"}
		}
		if i, ok := at[one.Mutation.ID]; ok {
			r.Results[i] = one
			continue
		}
		at[one.Mutation.ID] = len(r.Results)
		r.Results = append(r.Results, one)
	}
}

// fits reports whether edits, at least one, are in order and in a text of that length.
func fits(edits []tree.Edit, length int) bool {
	at := 0
	for _, e := range edits {
		if e.Start < at || e.End < e.Start {
			return false
		}
		at = e.End
	}
	return len(edits) > 0 && at <= length
}

func readJSON(name string, v any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}
