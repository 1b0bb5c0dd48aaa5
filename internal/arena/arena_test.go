package arena_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/arena"
	"breakfix/internal/arena/arenatest"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

const code = `import os


def clamp(value, low, high):
    """Keep value between low and high."""
    if value < low:
        return low
    if value > high:
        return high
    return value


def never():
    return 1 + 2
`

const redTest = `from pkg.mod import clamp


def test_red():
    assert clamp(5, 1, 3) == 3
`

func files() map[string]string {
	return map[string]string{"pkg/__init__.py": "", "pkg/mod.py": code, "tests/test_mod.py": "from pkg.mod import clamp\n\n\ndef test_secret():\n    assert clamp(9, 1, 3) == 3\n",
		"conftest.py": "", "setup.cfg": "[tool:pytest]\n"}
}

func open(t *testing.T, steps int) (*arena.FixArena, *arenatest.Runner, *tree.Tree) {
	t.Helper()
	r := &arenatest.Runner{Dir: t.TempDir()}
	b, broken := arenatest.Bug(t, r, files(), "pkg/mod.py", "return high", "return low_removed_marker if False else low", redTest)
	// The marker stands on the broken side; the removed line is "return high".
	a, err := arena.NewFix(r, b, broken, arena.FixOptions{Seed: 1, Steps: steps})
	if err != nil {
		t.Fatal(err)
	}
	return a, r, broken
}

func edit(src []byte, old, now string) []tree.Edit {
	at := strings.Index(string(src), old)
	return []tree.Edit{{Start: at, End: at + len(old), New: now}}
}

const bad = "return low_removed_marker if False else low"

func TestTheContextIsTheWindowAndTheFunctionInTheBrokenTree(t *testing.T) {
	a, _, _ := open(t, 4)
	want := []arena.Context{{Path: "pkg/mod.py", Function: "clamp", FirstLine: 4, LastLine: 10, WindowFirst: 6, WindowLast: 12}}
	if d := cmp.Diff(want, a.Task().Contexts); d != "" {
		t.Error(d)
	}
}

func TestNothingThatTheFixerCanReachHoldsTheRemovedLinesOrTheMutationOrHiddenTests(t *testing.T) {
	a, _, _ := open(t, 4)
	reach := fmt.Sprintf("%+v", a.Task())
	for _, p := range a.Paths() {
		src, err := a.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		reach += string(src)
	}
	for _, secret := range []string{"return high", "secret_operator", "test_secret", "clamp(9"} {
		if strings.Contains(reach, secret) {
			t.Errorf("the fixer can read %q", secret)
		}
	}
	if d := cmp.Diff([]string{"pkg/__init__.py", "pkg/mod.py", "test_red.py"}, a.Paths()); d != "" {
		t.Error(d)
	}
	for _, p := range []string{"tests/test_mod.py", "conftest.py", "setup.cfg", "../x", ".git/HEAD"} {
		if _, err := a.Read(p); err == nil {
			t.Errorf("%s can be read", p)
		}
	}
}

func TestAStepRunsTheRedTestAndARepairIsADiffThatTheHostMade(t *testing.T) {
	a, _, _ := open(t, 4)
	src, _ := a.ReadAt(0, "pkg/mod.py")
	wrong, err := a.Try(context.Background(), 0, "pkg/mod.py", edit(src, bad, "return value"), "wrong")
	if err != nil {
		t.Fatal(err)
	}
	if wrong.Verdict != outcome.Failed || wrong.Failure.Kind != "AssertionError" || wrong.Left != 3 {
		t.Errorf("got %+v, want a failed assertion and three steps left", wrong)
	}
	right, err := a.Try(context.Background(), 0, "pkg/mod.py", edit(src, bad, "return high"), "right")
	if err != nil || right.Verdict != outcome.Passed {
		t.Fatalf("got %+v, %v, want passed", right, err)
	}
	if err := a.Submit(right.Step); err != nil {
		t.Fatal(err)
	}
	got, err := a.Result()
	if err != nil {
		t.Fatal(err)
	}
	if got.Ending != arena.Submitted || got.Step != 2 || !strings.Contains(string(got.Patch), "+        return high") || strings.Contains(string(got.Patch), "return value\n-") {
		t.Errorf("got %s of step %d with patch\n%s", got.Ending, got.Step, got.Patch)
	}
	if r := got.Records[0]; r.Failure != "AssertionError: assert 5 == 3" || !r.Applied || r.From != 0 || r.What != "wrong" {
		t.Errorf("the first step's record is %+v", r)
	}
}

func TestEditsOfTestsRunnerConfigurationAndUnparsableOnesDoNotApplyAndCostAStep(t *testing.T) {
	a, r, _ := open(t, 8)
	src, _ := a.Read("pkg/mod.py")
	before := r.Runs
	for _, c := range []struct {
		path  string
		edits []tree.Edit
		why   string
	}{
		{"tests/test_mod.py", []tree.Edit{{New: "import os\n"}}, "may not be edited"},
		{"conftest.py", []tree.Edit{{New: "import os\n"}}, "may not be edited"},
		{"test_red.py", []tree.Edit{{New: "import os\n"}}, "may not be edited"},
		{"sitecustomize.py", []tree.Edit{{New: "import os\n"}}, "may not be edited"},
		{"../pkg/mod.py", []tree.Edit{{New: "import os\n"}}, "leaves the tree"},
		{"pkg/mod.py", edit(src, "return value", "return ("), "does not parse"},
		{"pkg/mod.py", edit(src, "return value", "return value"), "changes nothing"},
		{"pkg/mod.py", []tree.Edit{{Start: 0, End: 1 << 20}}, "outside"},
	} {
		o, err := a.Try(context.Background(), 0, c.path, c.edits, "attack")
		if err != nil {
			t.Fatal(err)
		}
		if o.Applied || !strings.Contains(o.Why, c.why) {
			t.Errorf("%s: applied %v, why %q, want %q", c.path, o.Applied, o.Why, c.why)
		}
	}
	if r.Runs != before {
		t.Error("the red test ran although nothing applied")
	}
	if _, err := a.Try(context.Background(), 0, "pkg/mod.py", edit(src, bad, "return high"), "late"); !errors.Is(err, arena.ErrOutOfSteps) {
		t.Errorf("got %v after the last step, want ErrOutOfSteps", err)
	}
	if got, _ := a.Result(); got.Ending != arena.OutOfSteps || len(got.Patch) != 0 {
		t.Errorf("got %s with %d bytes of patch, want out of steps and none", got.Ending, len(got.Patch))
	}
}

func TestReturningWithoutHandingInIsGivingUpAndARedTreeAfterTheLastStepIsOutOfSteps(t *testing.T) {
	a, _, _ := open(t, 1)
	if got, _ := a.Result(); got.Ending != arena.GaveUp {
		t.Errorf("got %s, want gave_up", got.Ending)
	}
	src, _ := a.Read("pkg/mod.py")
	o, err := a.Try(context.Background(), 0, "pkg/mod.py", edit(src, bad, "return value"), "wrong")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Submit(o.Step); err != nil {
		t.Fatal(err)
	}
	if got, _ := a.Result(); got.Ending != arena.OutOfSteps || len(got.Patch) == 0 {
		t.Errorf("got %s with %d bytes of patch, want out_of_steps with the tree that was named", got.Ending, len(got.Patch))
	}
}

func TestAHangingStepIsTimedOutAtTheDeadline(t *testing.T) {
	r := &arenatest.Runner{Dir: t.TempDir()}
	b, broken := arenatest.Bug(t, r, files(), "pkg/mod.py", "return high", "return low", redTest)
	a, err := arena.NewFix(r, b, broken, arena.FixOptions{Steps: 1, Deadline: 1e9})
	if err != nil {
		t.Fatal(err)
	}
	src, _ := a.Read("pkg/mod.py")
	o, err := a.Try(context.Background(), 0, "pkg/mod.py", edit(src, "        return low\n    return value", "        while True: pass\n    return value"), "hang")
	if err != nil || o.Verdict != outcome.TimedOut {
		t.Errorf("got %+v, %v, want timed_out", o, err)
	}
}

func bank(t *testing.T) *arena.Bank {
	t.Helper()
	fs := map[string]*tree.File{}
	for p, s := range files() {
		fs[p] = tree.Text(s)
	}
	base, err := tree.FromFiles(fs)
	if err != nil {
		t.Fatal(err)
	}
	return arena.NewBank(base, nil, func(path string, first, last int) int {
		if path == "pkg/mod.py" && first < 12 {
			return 1
		}
		return 0
	})
}

func TestSitesAreInCoveredCodeAndNotMadeBeforeAndTheSameOnEveryCall(t *testing.T) {
	b := bank(t)
	a, err := arena.NewBreak(b, arena.BreakOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all := a.Sites()
	if len(all) < 5 {
		t.Fatalf("%d sites, want some", len(all))
	}
	for _, m := range all {
		if m.Path != "pkg/mod.py" || m.Line >= 12 {
			t.Errorf("%s at %s:%d is in code that no test runs", m.Operator, m.Path, m.Line)
		}
	}
	again, err := arena.NewBreak(b, arena.BreakOptions{Made: map[string]bool{all[0].ID: true}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all[1:], again.Sites()); d != "" {
		t.Error(d)
	}
}

func TestAChosenMutationBreaksTheTreeAndAnInventedOneIsRefused(t *testing.T) {
	a, err := arena.NewBreak(bank(t), arena.BreakOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Choose(mutate.Mutation{ID: "x", Path: "conftest.py"}); err == nil {
		t.Error("a mutation that is not among the sites was taken")
	}
	m := a.Sites()[0]
	forged := m
	forged.Path = "conftest.py" // only the id counts
	if err := a.Choose(forged); err != nil {
		t.Fatal(err)
	}
	broken, chosen, err := a.Result()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]mutate.Mutation{m}, chosen); d != "" {
		t.Error(d)
	}
	src, _ := broken.Read("pkg/mod.py")
	if want, _ := mutate.ApplyTo([]byte(code), m); string(src) != string(want) {
		t.Errorf("the broken file is\n%s", src)
	}
}

func TestWhenEveryMutationWasMadeThereIsNoSite(t *testing.T) {
	b := bank(t)
	made := map[string]bool{}
	sites, err := b.Sites()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range sites {
		made[m.ID] = true
	}
	if _, err := arena.NewBreak(b, arena.BreakOptions{Made: made}); !errors.Is(err, arena.ErrNoSite) {
		t.Errorf("got %v, want ErrNoSite", err)
	}
}
