package arena_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/arena/arenatest"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

const redCode = `def double(x):
    return x


def half(x):
    return x / 2
`

const redTests = `from calc import double


def test_first():
    assert double(2) == 4


def test_second():
    assert double(3) == 6
`

func redTree(t *testing.T, tests string) *tree.Tree {
	t.Helper()
	code, err := tree.FromFiles(map[string]*tree.File{"calc.py": tree.Text(redCode), "test_calc.py": tree.Text(tests)})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func redOf(t *testing.T) arena.Red {
	return arena.Red{Tree: redTree(t, redTests), Tests: []string{"test_calc.py::test_first", "test_calc.py::test_second"},
		Failure:  testrun.Failure{Kind: "AssertionError", Message: "assert 2 == 4", TestLine: 5},
		Contexts: []arena.Context{{Path: "calc.py", Function: "double", FirstLine: 1, LastLine: 2}},
		Suspects: []arena.Suspect{{Path: "calc.py", Line: 2, Score: 1}}}
}

func tryRed(t *testing.T, a *arena.FixArena, now string) arena.Observation {
	t.Helper()
	src, err := a.ReadAt(0, "calc.py")
	if err != nil {
		t.Fatal(err)
	}
	o, err := a.Try(context.Background(), 0, "calc.py", edit(src, "return x\n", "return "+now+"\n"), now)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAStepOnARedTreeRunsTheFirstRedTestThenTheOthersThenAsksTheJudge(t *testing.T) {
	r := &arenatest.Runner{Dir: t.TempDir()}
	red := redOf(t)
	asked := 0
	red.Judge = func(_ context.Context, tr *tree.Tree) (testrun.Failure, bool, error) {
		asked++
		src, err := tr.Read("calc.py")
		return testrun.Failure{Kind: "Gate", Message: "new: x"}, !strings.Contains(string(src), "x + x"), err
	}
	a, err := arena.NewRed(r, red, arena.FixOptions{Steps: 8})
	if err != nil {
		t.Fatal(err)
	}
	if task := a.Task(); task.RedTest != redTests || task.RedPath != "test_calc.py" || task.Contexts[0].WindowFirst != 0 || len(task.Suspects) != 1 {
		t.Errorf("the task is %+v", task)
	}
	if o := tryRed(t, a, "x - x"); o.Verdict != outcome.Failed || o.Green != 0 || o.Failure.TestLine != 5 || r.Runs != 1 {
		t.Errorf("of a wrong edit it shows %+v after %d runs, want the first red test alone", o, r.Runs)
	}
	if o := tryRed(t, a, "x + 2"); o.Verdict != outcome.Failed || o.Green != 1 || o.Failure.TestLine != 9 || asked != 0 {
		t.Errorf("of half a repair it shows %+v, want the second test's failure", o)
	}
	if o := tryRed(t, a, "x + x"); o.Verdict == outcome.Passed || o.Failure.Message != "new: x" || o.Green != 2 {
		t.Errorf("of what the judge objects to it shows %+v", o)
	}
	o := tryRed(t, a, "x * 2")
	if o.Verdict != outcome.Passed || asked != 2 {
		t.Errorf("of a repair it shows %+v, and the judge was asked %d times", o, asked)
	}
	if err := a.Submit(o.Step); err != nil {
		t.Fatal(err)
	}
	if got, err := a.Result(); err != nil || got.Ending != arena.Submitted || !strings.Contains(string(got.Patch), "+    return x * 2") {
		t.Errorf("it ends with %+v, %v", got, err)
	}
}

func TestARedTreeIsNotEditedWhenItIsToldToStop(t *testing.T) {
	red := redOf(t)
	red.Stop = func() bool { return true }
	a, err := arena.NewRed(&arenatest.Runner{Dir: t.TempDir()}, red, arena.FixOptions{})
	if err != nil {
		t.Fatal(err)
	}
	src, _ := a.Read("calc.py")
	if _, err := a.Try(context.Background(), 0, "calc.py", edit(src, "return x\n", "return x * 2\n"), "late"); !errors.Is(err, arena.ErrOutOfSteps) {
		t.Errorf("got %v, want ErrOutOfSteps", err)
	}
	red.Tests = nil
	if _, err := arena.NewRed(&arenatest.Runner{}, red, arena.FixOptions{}); err == nil {
		t.Error("an attempt without a red test was opened")
	}
}

func TestOfALongTestFileTheRedTestsAreShownWithWhatTheyNameAtTheirLines(t *testing.T) {
	long := "import os\nfrom calc import double\n\nTWO = 2\nUNUSED = 3\n\n\ndef helper(x):\n    return double(x)\n\n\nclass TestDouble:\n    def setup_method(self):\n        self.four = 4\n\n    def test_first(self):\n        assert helper(TWO) == self.four\n\n    def test_green(self):\n        assert double(0) == 0\n"
	for i := range 60 {
		long += fmt.Sprintf("\n\ndef test_more_%d():\n    assert double(0) == 0\n", i)
	}
	red := redOf(t)
	red.Tree, red.Tests = redTree(t, long), []string{"test_calc.py::TestDouble::test_first"}
	a, err := arena.NewRed(&arenatest.Runner{}, red, arena.FixOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(a.Task().RedTest, "\n")
	want := strings.Split(long, "\n")
	shown := map[int]bool{1: true, 2: true, 4: true, 8: true, 9: true, 12: true, 13: true, 14: true, 16: true, 17: true}
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	for i, line := range got {
		expected := ""
		if shown[i+1] {
			expected = want[i]
		}
		if line != expected {
			t.Errorf("line %d is %q, want %q", i+1, line, expected)
		}
	}
}
