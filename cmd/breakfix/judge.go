package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"breakfix/internal/bug"
	"breakfix/internal/grade"
	"breakfix/internal/outcome"
	"breakfix/internal/report"
	"breakfix/internal/sandbox"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
)

// borrowed is what of this machine a bug may use. A bug that was made with
// something of the kind does not get it because it says so: it may come from
// anybody, and its base is code that runs.
type borrowed struct {
	Python string   `help:"The environment that exists, for a bug that was made in one." placeholder:"PATH" type:"path"`
	Env    []string `help:"Let one variable through, for a bug that was made with it." placeholder:"NAME"`
}

func (m borrowed) check(b *bug.Bug) error {
	if b.Recipe.Existing != "" && m.Python == "" {
		return usagef("name one that you trust with --python PATH", "bug %s was made in an environment of its own (%s), which is not used unasked", b.ID, b.Recipe.Existing)
	}
	for _, name := range b.Options.Env {
		if !slices.Contains(m.Env, name) {
			return usagef("if its tests may read it, add --env "+name, "bug %s was made with the variable %s, which is not let through unasked", b.ID, name)
		}
	}
	return nil
}

// boardOf prepares the base of a bug, once for all bugs of one base. It is safe
// for concurrent use; one base is prepared at a time.
type boardOf struct {
	a      *app
	from   borrowed
	box    sandbox.Sandbox
	mu     sync.Mutex
	boards map[string]*selfplay.Board
}

func (o *boardOf) close() {
	for _, b := range o.boards {
		b.Work.Close()
	}
}

func (o *boardOf) board(b *bug.Bug) (*selfplay.Board, error) {
	// Bugs of one base are judged on one board, unless they were made with other options.
	options, err := json.Marshal(b.Options)
	if err != nil {
		return nil, err
	}
	key := string(b.Base) + string(options)
	o.mu.Lock()
	defer o.mu.Unlock()
	if board, ok := o.boards[key]; ok {
		return board, nil
	}
	if err := o.from.check(b); err != nil {
		return nil, err
	}
	snap, err := b.Open(o.a.ctx, o.a.Cache)
	if err != nil {
		return nil, err
	}
	watch := newWatcher(o.a)
	defer watch.Close()
	setup := selfplay.Setup{
		Box: o.box, Progress: watch.Stage,
		Options: source.Options{Tests: b.Options.Tests, Env: b.Options.Env, Python: o.from.Python, Cache: o.a.Cache},
	}
	board, err := setup.Prepare(o.a.ctx, snap)
	if err != nil {
		return nil, err
	}
	o.boards[key] = board
	return board, nil
}

// gradeCmd judges a repair.
type gradeCmd struct {
	borrowed
	Bug   string `arg:"" help:"Folder of a bug."`
	Patch string `arg:"" help:"The repair: a unified diff against the broken tree, - for standard input."`
}

// Run prints every gate; a rejected repair is exit code 4, and so is a bug or a
// patch that is not what it must be.
func (c *gradeCmd) Run(a *app) error {
	patch, err := readPatch(c.Patch)
	if err != nil {
		return usagef("name a file that holds a unified diff", "cannot read the patch: %v", err)
	}
	if _, err := os.Stat(c.Bug); err != nil {
		return usagef("name the folder of a bug", "no bug at %s", c.Bug)
	}
	res, err := c.grade(a, patch)
	var objection *bug.CheckError
	if errors.As(err, &objection) {
		return refuse(a, objection)
	}
	if err != nil {
		return err
	}
	if a.JSON {
		err = json.NewEncoder(a.stdout).Encode(res)
	} else {
		err = printGrading(a, res)
	}
	if err == nil && res.Outcome != outcome.Fixed {
		err = errNo
	}
	return err
}

func (c *gradeCmd) grade(a *app, patch []byte) (grade.Result, error) {
	b, err := bug.Load(c.Bug)
	if err != nil {
		return grade.Result{}, err
	}
	box, err := a.openSandbox()
	if err != nil {
		return grade.Result{}, err
	}
	open := &boardOf{a: a, from: c.borrowed, box: box, boards: map[string]*selfplay.Board{}}
	defer open.close()
	board, err := open.board(b)
	if err != nil {
		return grade.Result{}, err
	}
	return grade.Patch(a.ctx, board.Grading, b, patch, grade.Options{FreeForm: true})
}

// refuse says why there is nothing to grade.
func refuse(a *app, objection *bug.CheckError) error {
	var err error
	if a.JSON {
		err = json.NewEncoder(a.stdout).Encode(struct {
			Outcome string        `json:"outcome"`
			Check   outcome.Check `json:"check"`
			Reason  string        `json:"reason"`
		}{"rejected", objection.Check, objection.Reason})
	} else {
		_, err = fmt.Fprintf(a.stdout, "rejected  check %s: %s\n", objection.Check, report.Visible(objection.Reason))
	}
	if err == nil {
		err = errNo
	}
	return err
}

func printGrading(a *app, res grade.Result) error {
	fmt.Fprintf(a.stdout, "%s\n", words(string(res.Outcome)))
	for _, g := range outcome.Gates {
		reason, ok := res.Gates[g]
		if !ok {
			reason = "not reached"
		}
		fmt.Fprintf(a.stdout, "  %-10s %s\n", words(string(g)), report.Visible(reason))
	}
	for _, s := range res.Suspicious {
		fmt.Fprintf(a.stdout, "  suspicious %s\n", words(s))
	}
	return nil
}

// maxPatch bounds what is read as a patch.
const maxPatch = 16 << 20

func readPatch(name string) ([]byte, error) {
	f := os.Stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	b, err := io.ReadAll(io.LimitReader(f, maxPatch+1))
	if err == nil && len(b) > maxPatch {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxPatch>>20)
	}
	return b, err
}
