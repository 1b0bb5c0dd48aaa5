package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"breakfix/internal/bug"
	"breakfix/internal/grade"
	"breakfix/internal/outcome"
	"breakfix/internal/report"
	"breakfix/internal/sandbox"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
)

// verifyCmd validates artifacts again.
type verifyCmd struct {
	Bugs []string `arg:"" name:"bug" help:"Folders of bugs."`
}

// verified is what verify prints for one artifact as JSON.
type verified struct {
	Path string `json:"path"`
	bug.VerifyResult
}

// Run prints one line a bug; a rejected one is exit code 4.
func (c *verifyCmd) Run(a *app) error {
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	open := &boardOf{a: a, box: box, boards: map[string]*selfplay.Board{}}
	rejected := false
	for _, dir := range c.Bugs {
		if _, err := os.Stat(dir); err != nil {
			return usagef("name the folder of a bug", "no bug at %s", dir)
		}
		v := verified{Path: dir}
		if v.VerifyResult, err = open.verify(dir); err != nil {
			return err
		}
		rejected = rejected || !v.Valid
		switch {
		case a.JSON:
			err = json.NewEncoder(a.stdout).Encode(v)
		case v.Valid:
			_, err = fmt.Fprintf(a.stdout, "valid     %s\n", filepath.Base(dir))
		default:
			_, err = fmt.Fprintf(a.stdout, "rejected  %s  check %s: %s\n", filepath.Base(dir), v.Check, report.Visible(v.Reason))
		}
		if err != nil {
			return err
		}
	}
	if rejected {
		return errNo
	}
	return nil
}

// boardOf prepares the base of a bug, once for all bugs of one base.
type boardOf struct {
	a      *app
	box    sandbox.Sandbox
	boards map[string]*selfplay.Board
}

// verify loads an artifact and runs every check again.
func (o *boardOf) verify(dir string) (bug.VerifyResult, error) {
	b, err := bug.Load(dir)
	var board *selfplay.Board
	if err == nil {
		board, err = o.board(b)
	}
	var objection *bug.CheckError
	if errors.As(err, &objection) {
		v := bug.VerifyResult{Check: objection.Check, Reason: objection.Reason, Checks: map[outcome.Check]string{objection.Check: objection.Reason}}
		if b != nil {
			v.ID = b.ID
		}
		return v, nil
	}
	if err != nil {
		return bug.VerifyResult{}, err
	}
	return bug.Recheck(o.a.ctx, board.Target, b)
}

func (o *boardOf) board(b *bug.Bug) (*selfplay.Board, error) {
	key := string(b.Base)
	if board, ok := o.boards[key]; ok {
		return board, nil
	}
	snap, err := b.Open(o.a.ctx, o.a.Cache)
	if err != nil {
		return nil, err
	}
	watch := newWatcher(o.a)
	defer watch.Close()
	setup := selfplay.Setup{
		Box: o.box, Progress: watch.Stage,
		Options: source.Options{Tests: b.Options.Tests, Env: b.Options.Env, Python: b.Recipe.Existing, Cache: o.a.Cache},
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
	Bug   string `arg:"" help:"Folder of a bug."`
	Patch string `arg:"" help:"The repair: a unified diff against the broken tree, - for standard input."`
}

// Run prints every gate; a rejected repair is exit code 4.
func (c *gradeCmd) Run(a *app) error {
	patch, err := readPatch(c.Patch)
	if err != nil {
		return usagef("name a file that holds a unified diff", "cannot read the patch: %v", err)
	}
	if _, err := os.Stat(c.Bug); err != nil {
		return usagef("name the folder of a bug", "no bug at %s", c.Bug)
	}
	b, err := bug.Load(c.Bug)
	if err != nil {
		return unusable(c.Bug, err)
	}
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	open := &boardOf{a: a, box: box, boards: map[string]*selfplay.Board{}}
	board, err := open.board(b)
	if err != nil {
		return unusable(c.Bug, err)
	}
	res, err := grade.Patch(a.ctx, board.Grading, b, patch, grade.Options{FreeForm: true})
	if err != nil {
		return unusable(c.Patch, err)
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

// unusable words what is wrong with a bug or a patch that was handed in: that
// is bad input, and no verdict.
func unusable(name string, err error) error {
	var objection *bug.CheckError
	if errors.As(err, &objection) {
		return usagef("", "%s cannot be judged: %s", name, report.Visible(objection.Reason))
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
		fmt.Fprintf(a.stdout, "  %-10s %s\n", words(string(g)), reason)
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
