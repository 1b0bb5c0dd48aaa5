// Package export writes bugs in the formats of others: SWE-bench, SWE-smith,
// Harbor, chat, and breakfix's own lines; and it proves, from what was written
// alone and without an image, that the tests of each bug fail before and pass
// after its repair.
//
// What a solver is given to read (problem statement, instruction, the user's
// message) holds no line that the bug removed, no operator's name and no test
// that is held back; a bug of which none can be written so is left out.
package export

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/source"
	"breakfix/internal/spelling"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Format is one way to write bugs.
type Format struct {
	Name  string
	What  string // what is written, one line for a person
	open  func(dir string, o Options) (writer, error)
	check func(ctx context.Context, dir string, c *checker) error
}

// writer writes bugs one by one; what it says of a bug that the format cannot
// hold is a *cannotError.
type writer interface {
	add(*item) error
	close() error
}

var formats = []Format{
	{"breakfix", "bugs.jsonl, an artifact a line", openBreakfix, checkBreakfix},
	{"swebench", "instances.jsonl, and a task repo of swebench 5 (sweb.yaml, tasks/ID/)", openSWEBench, checkSWEBench},
	{"swesmith", "instances.jsonl, breakfix_profiles.py and images/ for SWE-smith", openSWESmith, checkSWESmith},
	{"harbor", "a task folder a bug", openHarbor, checkHarbor},
	{"chat", "messages.jsonl: system, problem, repair", openChat, checkChat},
}

// Names lists the formats.
func Names() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.Name
	}
	return names
}

// Lookup finds a format. The error names the nearest one.
func Lookup(name string) (Format, error) {
	for _, f := range formats {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, &UnknownError{Name: name, Nearest: spelling.Nearest(name, Names())}
}

// UnknownError says that there is no format of a name.
type UnknownError struct{ Name, Nearest string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no format %q; did you mean %s? There are %s", e.Name, e.Nearest, strings.Join(Names(), ", "))
}

// Suite is what the baseline knows of a bug's suite and the artifact does not.
type Suite struct {
	Passing []string // tests that pass on the base
	Args    []string // arguments for pytest before the names of tests
	Env     []string // KEY=value beside them
}

// SuiteOf is the Suite of every bug of one prepared base.
func SuiteOf(w *testrun.Workspace) Suite {
	args, env := w.Command()
	return Suite{Passing: w.Base.Results.Passed(), Args: args, Env: env}
}

// Options are those of one export.
type Options struct {
	// Suite tells what passes on a bug's base; its red tests are taken out here.
	// nil means that nobody knows: PASS_TO_PASS is empty then.
	Suite func(*bug.Bug) (Suite, error)
	// Base gives the tree that a bug was made on; nil means that of its
	// snapshot, else it is fetched again.
	Base func(*bug.Bug) (*tree.Tree, error)
	// Archive says what others fetch a published base from; nil asks the index.
	Archive func(*bug.Bug) (source.Archive, error)
	Created time.Time // created_at of every instance; zero means now
	Cache   string    // breakfix's cache folder; "" means the user's
}

// Written is what an export did.
type Written struct {
	Format string   `json:"format"`
	Dir    string   `json:"dir"`
	Bugs   []string `json:"bugs"`           // ids, in order
	Left   []Left   `json:"left,omitempty"` // what was left out
}

// Left is a bug that was left out, and why.
type Left struct {
	Bug    string `json:"bug"` // id, or where it was
	Reason string `json:"reason"`
}

// cannotError says that a bug cannot stand in a format.
type cannotError struct{ reason string }

func (e *cannotError) Error() string { return e.reason }

func cannot(format string, args ...any) error { return &cannotError{fmt.Sprintf(format, args...)} }

// InvalidError is what a sequence of bugs says of something that is no bug:
// where it was and why not. It is left out, and the export goes on.
type InvalidError struct {
	Where string
	Err   error
}

func (e *InvalidError) Error() string { return e.Where + ": " + e.Err.Error() }

// Unwrap gives the reason.
func (e *InvalidError) Unwrap() error { return e.Err }

// ErrExists says that the folder to write is there already.
var ErrExists = errors.New("it exists already")

// Write writes bugs in a format as a new folder, which appears whole or not at
// all. A bug that is there twice, that is no bug (*InvalidError, *bug.CheckError
// in the sequence) or that the format cannot hold is in Written.Left; any other
// error ends the export. When no bug is left no folder is made.
func Write(format, dir string, bugs iter.Seq2[*bug.Bug, error], o Options) (Written, error) {
	f, err := Lookup(format)
	if err != nil {
		return Written{}, err
	}
	if _, err := os.Lstat(dir); err == nil {
		return Written{}, fmt.Errorf("write %s: %w", dir, ErrExists)
	}
	if o.Created.IsZero() {
		o.Created = time.Now()
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Written{}, fmt.Errorf("write %s: %w", dir, err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".export-")
	if err != nil {
		return Written{}, fmt.Errorf("write %s: %w", dir, err)
	}
	defer os.RemoveAll(tmp)
	w, err := f.open(tmp, o)
	if err != nil {
		return Written{}, fmt.Errorf("write %s: %w", dir, err)
	}
	done := Written{Format: f.Name, Dir: dir, Bugs: []string{}}
	p := &packer{o: o, bases: map[tree.Digest]*base{}, seen: map[string]bool{}}
	err = p.each(bugs, &done, w.add)
	if e := w.close(); err == nil {
		err = e
	}
	if err != nil {
		return done, fmt.Errorf("write %s: %w", dir, err)
	}
	if len(done.Bugs) == 0 {
		return done, nil
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return done, fmt.Errorf("write %s: %w", dir, err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return done, fmt.Errorf("write %s: %w", dir, err)
	}
	return done, nil
}

// each hands every bug to add, and notes which were written and which not.
func (p *packer) each(bugs iter.Seq2[*bug.Bug, error], done *Written, add func(*item) error) error {
	for b, err := range bugs {
		var invalid *InvalidError
		var check *bug.CheckError
		switch {
		case errors.As(err, &invalid):
			done.Left = append(done.Left, Left{invalid.Where, invalid.Err.Error()})
			continue
		case errors.As(err, &check):
			done.Left = append(done.Left, Left{"", check.Error()})
			continue
		case err != nil:
			return err
		case p.seen[b.ID]:
			done.Left = append(done.Left, Left{b.ID, "it is there twice"})
			continue
		}
		it, err := p.item(b)
		if err == nil {
			err = add(it)
		}
		var no *cannotError
		if errors.As(err, &no) || errors.As(err, &check) {
			done.Left = append(done.Left, Left{b.ID, err.Error()})
			continue
		}
		if err != nil {
			return fmt.Errorf("bug %s: %w", b.ID, err)
		}
		p.seen[b.ID] = true
		done.Bugs = append(done.Bugs, b.ID)
	}
	return nil
}
