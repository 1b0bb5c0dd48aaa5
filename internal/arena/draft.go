package arena

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"breakfix/internal/lang"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// draft is what a breaker has written so far.
type draft struct {
	steps  int
	made   int          // steps so far
	trees  []*tree.Tree // by step
	runner testrun.Runner
	past   func(ctx context.Context) ([]byte, string, bool, error)
	handed *Written
}

// Written is a break that a player wrote itself.
type Written struct {
	HandIn
	Tree   *tree.Tree // the base with its code changed
	Weaken []byte     // what it changed in tests, as a diff; empty when nothing
}

func newDraft(base *tree.Tree, o BreakOptions) draft {
	if o.Steps <= 0 {
		o.Steps = DefaultSteps
	}
	return draft{steps: o.Steps, trees: []*tree.Tree{base}, runner: o.Runner, past: o.Past}
}

var _ Draft = (*BreakArena)(nil)

// Left is how many steps a player that writes its edits itself still has.
func (a *BreakArena) Left() int { return a.draft.steps - a.draft.made }

// Look makes a step that changes nothing.
func (a *BreakArena) Look(string) error {
	_, err := a.step(a.draft.trees[len(a.draft.trees)-1])
	return err
}

func (a *BreakArena) step(t *tree.Tree) (int, error) {
	if a.Left() <= 0 {
		return 0, ErrOutOfSteps
	}
	a.draft.made++
	a.draft.trees = append(a.draft.trees, t)
	return a.draft.made, nil
}

func (a *BreakArena) at(n int) (*tree.Tree, error) {
	if n < 0 || n >= len(a.draft.trees) {
		return nil, fmt.Errorf("there is no step %d; the last is %d", n, len(a.draft.trees)-1)
	}
	return a.draft.trees[n], nil
}

// Paths lists the code and the tests of the base, sorted.
func (a *BreakArena) Paths() []string {
	var ps []string
	for _, p := range a.bank.base.Paths() {
		if a.bank.base.Kind(p) != tree.Link && (isCode(p) || isTest(p)) {
			ps = append(ps, p)
		}
	}
	return ps
}

// ReadDraft returns code or a test of the tree after step n.
func (a *BreakArena) ReadDraft(n int, path string) ([]byte, error) {
	t, err := a.at(n)
	if err != nil {
		return nil, err
	}
	if !isCode(path) && !isTest(path) {
		return nil, fmt.Errorf("%s is not there to be read: only code and tests are: %w", path, fs.ErrNotExist)
	}
	src, err := t.Read(path)
	return append([]byte(nil), src...), err
}

// Edit makes edits in code that may be broken, or in a test.
func (a *BreakArena) Edit(from int, path string, edits []tree.Edit, _ string) (int, string, error) {
	t, err := a.at(from)
	if err != nil {
		return 0, "", err
	}
	next, why, err := a.edited(t, path, edits)
	if err != nil {
		return 0, "", err
	}
	n, err := a.step(next)
	return n, why, err
}

// edited returns the edited tree, or t as it is and why not.
func (a *BreakArena) edited(t *tree.Tree, path string, edits []tree.Edit) (*tree.Tree, string, error) {
	switch {
	case tree.CheckPath(path) != nil:
		return t, tree.CheckPath(path).Error(), nil
	case !isTest(path) && !slices.Contains(a.bank.Files(), path):
		return t, path + " may not be edited: only code that is to be broken may, and tests to weaken them", nil
	case !t.Has(path) || t.Kind(path) == tree.Link:
		return t, path + " is not a file of the tree", nil
	}
	src, err := t.Read(path)
	if err != nil {
		return t, "", err
	}
	out, err := tree.ApplyEdits(src, edits)
	if err != nil {
		return t, err.Error(), nil
	}
	if string(out) == string(src) {
		return t, "the edit changes nothing", nil
	}
	if l, ok := lang.ForPath(path); ok {
		if f, err := l.Parse(out); err != nil || f.HasError {
			return t, "the file does not parse after the edit", nil
		}
	}
	next, err := t.With(map[string]*tree.File{path: {Kind: t.Kind(path), Data: out}})
	if err != nil {
		return t, err.Error(), nil
	}
	return next, "", nil
}

// Run runs tests of the suite on the tree after step n.
func (a *BreakArena) Run(ctx context.Context, n int, tests []string) (testrun.Report, error) {
	t, err := a.at(n)
	if err != nil {
		return testrun.Report{}, err
	}
	if a.draft.runner == nil {
		return testrun.Report{}, errors.New("this break has no tests to run")
	}
	// What a step shows is feedback: validation judges.
	return a.draft.runner.Run(ctx, testrun.Request{Tree: t, Tests: tests, Tier: testrun.CodeSwap, Unaudited: true})
}

// Past is a past fix undone in today's code.
func (a *BreakArena) Past(ctx context.Context) ([]byte, string, bool, error) {
	if a.draft.past == nil {
		return nil, "", false, nil
	}
	return a.draft.past(ctx)
}

// Diff is what the tree after step n changes.
func (a *BreakArena) Diff(n int) (code, tests []byte, err error) {
	broken, weak, err := a.parts(n)
	if err != nil {
		return nil, nil, err
	}
	if code, err = tree.Diff(a.bank.base, broken); err != nil {
		return nil, nil, err
	}
	tests, err = tree.Diff(a.bank.base, weak)
	return code, tests, err
}

// parts are the base with the changes of the code, and with those of the tests.
func (a *BreakArena) parts(n int) (broken, weak *tree.Tree, err error) {
	t, err := a.at(n)
	if err != nil {
		return nil, nil, err
	}
	code, tests := map[string]*tree.File{}, map[string]*tree.File{}
	for _, p := range tree.Differ(a.bank.base, t) {
		src, err := t.Read(p)
		if err != nil {
			return nil, nil, err
		}
		into := code
		if isTest(p) {
			into = tests
		}
		into[p] = &tree.File{Kind: t.Kind(p), Data: src}
	}
	if broken, err = a.bank.base.With(code); err != nil {
		return nil, nil, err
	}
	weak, err = a.bank.base.With(tests)
	return broken, weak, err
}

// HandIn names the tree after step n as the break.
func (a *BreakArena) HandIn(n int, h HandIn) (string, error) {
	broken, weak, err := a.parts(n)
	if err != nil {
		return "", err
	}
	if broken.Digest() == a.bank.base.Digest() {
		return "no code is changed", nil
	}
	if len(h.Tests) == 0 {
		return "name the files of the tests that notice the break", nil
	}
	for _, p := range h.Tests {
		if !isTest(p) || !a.bank.base.Has(p) {
			return p + " is no file of tests", nil
		}
	}
	w := &Written{HandIn: h, Tree: broken}
	w.Tests = slices.Clone(h.Tests)
	if w.Weaken, err = tree.Diff(a.bank.base, weak); err != nil {
		return err.Error(), nil
	}
	if len(w.Weaken) == 0 {
		return "the weakening is missing: edit the tests that notice the break so that the suite passes with it", nil
	}
	for _, p := range tree.Differ(a.bank.base, broken) {
		why, err := said(a.bank.base, broken, p)
		if err != nil || why != "" {
			return why, err
		}
	}
	a.draft.handed, a.chosen = w, nil
	return "", nil
}

// Written is what a player that writes its edits itself has handed in, nil when
// it has not, or has chosen mutations instead.
func (a *BreakArena) Written() *Written { return a.draft.handed }

// isTest reports whether the file at path is a test that a breaker may weaken.
func isTest(path string) bool {
	l, ok := lang.ForPath(path)
	return ok && l.IsTest(path) && !l.IsRunnerConfig(path)
}
