package arena

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/lang"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// ErrOutOfSteps is returned by Try when no step is left.
var ErrOutOfSteps = errors.New("no step is left: hand in a tree with Submit")

// DefaultDeadline is the wall time of the red test in one step.
const DefaultDeadline = 5 * time.Second

// DefaultSteps is how many steps an attempt has.
const DefaultSteps = 64

// FixOptions are those of one attempt.
type FixOptions struct {
	Seed     uint64
	Steps    int           // 0 means DefaultSteps
	Deadline time.Duration // of the red test in each step; 0 means DefaultDeadline
	Contexts []Context     // of the bug, where they are known already
	// Direct has steps call the red test without pytest, for players that do
	// without the text of a failure: see Direct. A pass is
	// pytest's word in any case.
	Direct bool
	Memo   *Memo // what attempts at the bug share; nil: nothing
}

// Record is one step as the host saw it.
type Record struct {
	Number  int
	From    int    // the step whose tree was edited, 0 the broken tree
	What    string // the player's word for it
	Diff    string // against the tree that was edited; "" when it did not apply
	Applied bool
	Why     string // why it did not apply
	Verdict outcome.Verdict
	Failure string // "AssertionError: assert 3 == 4", one line
	Cached  bool
}

// Ending says how an attempt ended.
type Ending string

// The endings. A tree that was handed in goes to grading; out of steps holds
// the tree that the player named last, which is graded only to become a harder bug.
const (
	Submitted  Ending = "submitted"
	GaveUp     Ending = "gave_up"
	OutOfSteps Ending = "out_of_steps"
)

// FixResult is what an attempt left.
type FixResult struct {
	Ending  Ending
	Tree    *tree.Tree // the tree handed in; the broken tree when none was
	Patch   []byte     // its diff against the broken tree, empty when none was handed in
	Step    int        // the step whose tree it is
	Records []Record
	Own     bool // mutations of the bank alone made Tree, no free text: it may be judged in the fast tiers
}

// FixArena is the fixer's side of one attempt at one bug. Trees are made by
// the host, so that the patch is a diff that no player wrote. It is used by
// one player at a time.
type FixArena struct {
	task    Task
	run     func(ctx context.Context, t *tree.Tree) (seen, error) // what a step shows
	stop    func() bool                                           // no further step is to be made; nil: the steps alone count
	trees   []*tree.Tree                                          // by step; a step that did not apply has the tree it edited
	passed  []bool                                                // by step: the red test passed
	own     []bool                                                // by step: mutations of the bank alone made the tree
	records []Record
	picked  int // the tree handed in, 0: none
	memo    *Memo
	runner  testrun.Runner
	looking func(code string) (req testrun.Request, file string) // the red test with tests of ours after it
}

// seen is what running red tests on a tree showed.
type seen struct {
	verdict outcome.Verdict
	failure testrun.Failure
	cached  bool
	green   int
}

var _ Fix = (*FixArena)(nil)

// NewFix opens an attempt at b in the broken tree. What the player can reach
// holds neither the removed lines nor the mutation, history or held-back tests.
func NewFix(runner testrun.Runner, b *bug.Bug, broken *tree.Tree, o FixOptions) (*FixArena, error) {
	if o.Steps <= 0 {
		o.Steps = DefaultSteps
	}
	if o.Deadline <= 0 {
		o.Deadline = DefaultDeadline
	}
	places := o.Contexts
	if places == nil {
		var err error
		if places, err = Contexts(b.Inject, broken); err != nil {
			return nil, fmt.Errorf("bug %s: %w", b.ID, err)
		}
	}
	step := stepOf(b, o)
	return &FixArena{
		task: Task{Role: Fixer, Seed: o.Seed, Steps: o.Steps, RedTest: b.RedTest.Code, RedPath: b.RedTest.Path,
			Failure: cloneFailure(b.RedTest.Failure), Contexts: places},
		run: func(ctx context.Context, t *tree.Tree) (seen, error) {
			req := step
			req.Tree = t
			s, err := runOne(ctx, runner, req)
			if err == nil && req.Direct && !s.verdict.Red() {
				req.Direct = false
				return runOne(ctx, runner, req)
			}
			return s, err
		},
		memo:   o.Memo,
		runner: runner, looking: lookingInFile(step, b.RedTest.Path, b.RedTest.Code),
		trees: []*tree.Tree{broken}, passed: []bool{false}, own: []bool{true},
	}, nil
}

// stepOf asks for the red test as a step does. What it shows is feedback: grading judges.
func stepOf(b *bug.Bug, o FixOptions) testrun.Request {
	return testrun.Request{Tests: []string{b.RedTest.Test}, FilesOnly: true, Tier: testrun.CodeSwap, Direct: o.Direct,
		Files:    map[string]string{b.RedTest.Path: b.RedTest.Code},
		Deadline: func(string) time.Duration { return o.Deadline }}
}

// runOne runs the one test of a request.
func runOne(ctx context.Context, runner testrun.Runner, req testrun.Request) (seen, error) {
	report, err := runner.Run(ctx, req)
	if err != nil {
		return seen{}, fmt.Errorf("run the red test: %w", err)
	}
	id := req.Tests[0]
	s := seen{verdict: report.Results.Get(id), failure: cloneFailure(report.Failures[id]), cached: report.Cached > 0 && report.Ran == 0}
	if s.verdict != outcome.Passed && s.failure.Kind == "" && report.LoadError != "" {
		s.failure.Kind, s.failure.Message, s.failure.Text = "LoadError", oneLine(report.LoadError), report.LoadError
	}
	return s, nil
}

// cloneFailure copies f without the addresses of objects, which differ from
// run to run.
func cloneFailure(f testrun.Failure) testrun.Failure {
	f.Message, f.Text = address.ReplaceAllString(f.Message, "0x…"), address.ReplaceAllString(f.Text, "0x…")
	f.Frames = append([]testrun.Frame(nil), f.Frames...)
	return f
}

// address is one in memory, also where unittest left out the middle of what it is in.
var address = regexp.MustCompile(`\b0x([0-9a-fA-F]{4,}\b|[0-9a-fA-F]*\[\d+ chars\][0-9a-fA-F]*)`)

// Task tells the player what it has to do.
func (a *FixArena) Task() Task {
	t := a.task
	t.Contexts = append([]Context(nil), t.Contexts...)
	t.Suspects = append([]Suspect(nil), t.Suspects...)
	t.Failure = cloneFailure(t.Failure)
	return t
}

// Read returns a code file of the latest tree, or the red test.
func (a *FixArena) Read(path string) ([]byte, error) { return a.ReadAt(len(a.trees)-1, path) }

// ReadAt returns a code file of the tree after a step (0: the broken tree), or
// the red test.
func (a *FixArena) ReadAt(step int, path string) ([]byte, error) {
	if step < 0 || step >= len(a.trees) {
		return nil, fmt.Errorf("there is no step %d; the last is %d", step, len(a.trees)-1)
	}
	if path == a.task.RedPath {
		return []byte(a.task.RedTest), nil
	}
	if !isCode(path) {
		return nil, fmt.Errorf("%s is not there to be read: only code and the red test are: %w", path, fs.ErrNotExist)
	}
	src, err := a.trees[step].Read(path)
	return append([]byte(nil), src...), err
}

// Paths lists what Read returns, sorted but for the red test, which is last.
func (a *FixArena) Paths() []string {
	var ps []string
	for _, p := range a.trees[len(a.trees)-1].Paths() {
		if isCode(p) {
			ps = append(ps, p)
		}
	}
	return append(ps, a.task.RedPath)
}

// isCode reports whether the file at path may be read and edited by a player.
func isCode(path string) bool {
	l, ok := lang.ForPath(path)
	return ok && l.IsCode(path) && !l.IsTest(path) && !l.IsRunnerConfig(path)
}

// Try makes one step. An error is ours, or ErrOutOfSteps.
func (a *FixArena) Try(ctx context.Context, from int, path string, edits []tree.Edit, what string) (Observation, error) {
	return a.try(ctx, from, path, edits, what, false)
}

func (a *FixArena) try(ctx context.Context, from int, path string, edits []tree.Edit, what string, own bool) (Observation, error) {
	if len(a.records) >= a.task.Steps || a.stop != nil && a.stop() {
		return Observation{}, ErrOutOfSteps
	}
	if from < 0 || from >= len(a.trees) {
		return Observation{}, fmt.Errorf("there is no step %d to go on from; the last is %d", from, len(a.trees)-1)
	}
	r := Record{Number: len(a.records) + 1, From: from, What: what}
	made, err := a.memo.edit(a.trees[from], path, edits, func() (edited, error) { return edit(a.trees[from], path, edits) })
	if err != nil {
		return Observation{}, fmt.Errorf("step %d: %w", r.Number, err)
	}
	next := made.tree
	var shown seen
	if made.why != "" {
		r.Why = made.why
		next = a.trees[from]
	} else {
		if shown, err = a.run(ctx, next); err != nil {
			return Observation{}, fmt.Errorf("step %d: %w", r.Number, err)
		}
		r.Applied, r.Diff, r.Verdict, r.Cached = true, made.diff, shown.verdict, shown.cached
		if r.Verdict != outcome.Passed {
			r.Failure = FailureLine(r.Verdict, shown.failure)
		}
	}
	a.records = append(a.records, r)
	a.trees = append(a.trees, next)
	a.passed = append(a.passed, r.Verdict == outcome.Passed)
	a.own = append(a.own, a.own[from] && (own || !r.Applied))
	return Observation{Step: r.Number, Applied: r.Applied, Why: r.Why, Verdict: r.Verdict, Failure: shown.failure, Cached: r.Cached, Green: shown.green,
		Left: a.task.Steps - len(a.records)}, nil
}

// edit makes the edited tree, or says why the edit does not apply.
func edit(at *tree.Tree, path string, edits []tree.Edit) (edited, error) {
	no := func(format string, args ...any) (edited, error) {
		return edited{why: fmt.Sprintf(format, args...)}, nil
	}
	if err := tree.CheckPath(path); err != nil {
		return no("%v", err)
	}
	if !isCode(path) {
		return no("%s may not be edited: only code may, no test and no runner configuration", path)
	}
	if !at.Has(path) || at.Kind(path) == tree.Link {
		return no("%s is not a file of the tree", path)
	}
	src, err := at.Read(path)
	if err != nil {
		return edited{}, err
	}
	out, err := tree.ApplyEdits(src, edits)
	if err != nil {
		return no("%v", err)
	}
	if string(out) == string(src) {
		return no("the edit changes nothing")
	}
	if l, ok := lang.ForPath(path); ok {
		parses, err := parsesAfter(l, src, edits, out)
		if err != nil {
			return no("%v", err)
		}
		if !parses {
			return no("the file does not parse after the edit")
		}
	}
	next, err := at.With(map[string]*tree.File{path: {Kind: at.Kind(path), Data: out}})
	if err != nil {
		return no("%v", err)
	}
	diff, err := tree.Diff(at, next)
	return edited{tree: next, diff: string(diff)}, err
}

// Submit names the tree to hand in; the last call counts.
func (a *FixArena) Submit(n int) error {
	if n < 0 || n >= len(a.trees) {
		return fmt.Errorf("there is no step %d to hand in; the last is %d", n, len(a.trees)-1)
	}
	a.picked = n
	return nil
}

// Result tells how the attempt ended. A tree on which the red test is not
// known to pass, named after the last step, is out of steps and not a repair.
func (a *FixArena) Result() (FixResult, error) {
	r := FixResult{Ending: GaveUp, Tree: a.trees[0], Step: a.picked, Records: append([]Record(nil), a.records...)}
	if a.picked > 0 && a.trees[a.picked].Digest() != a.trees[0].Digest() {
		r.Tree = a.trees[a.picked]
		patch, err := tree.Diff(a.trees[0], r.Tree)
		if err != nil {
			return FixResult{}, fmt.Errorf("diff of the repair: %w", err)
		}
		r.Patch, r.Ending, r.Own = patch, Submitted, a.own[a.picked]
	}
	if len(a.records) >= a.task.Steps && !a.passed[a.picked] {
		r.Ending = OutOfSteps
	}
	return r, nil
}

// FailureLine says in one line how the red test failed.
func FailureLine(v outcome.Verdict, f testrun.Failure) string {
	switch {
	case f.Kind == "" && f.Message == "":
		return string(v)
	case f.Message == "":
		return f.Kind
	case f.Kind == "":
		return oneLine(f.Message)
	}
	return f.Kind + ": " + oneLine(f.Message)
}

func oneLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if r := []rune(s); len(r) > 160 {
		s = string(r[:159]) + "…"
	}
	return s
}
