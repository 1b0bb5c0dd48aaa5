package bench

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

func TestFunctionsAreLaidOutWithTheirTests(t *testing.T) {
	dir := t.TempDir()
	f := Function{ID: "a", Declaration: "def twice(x):\n", Buggy: "    return x\n", Right: "    return 2 * x\n",
		Test: "\ndef check(twice):\n    assert twice(2) == 4\n\ncheck(twice)", Entry: "twice"}
	if err := LayOut(dir, []Function{f, f}); err != nil {
		t.Fatal(err)
	}
	test, err := os.ReadFile(filepath.Join(dir, "test_solution_001.py"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "from solution_001 import twice\n\n\ndef check(twice):\n    assert twice(2) == 4\n\n\ndef test_twice():\n    check(twice)\n"; string(test) != want {
		t.Errorf("%q", test)
	}
	if n, ok := numbered("test_solution_001.py::test_twice"); !ok || n != 1 {
		t.Errorf("it belongs to %d, %v", n, ok)
	}
}

// doubles is a runner whose test passes once the function doubles.
type doubles struct{ runs int }

func (d *doubles) Run(_ context.Context, req testrun.Request) (testrun.Report, error) {
	d.runs++
	src, err := req.Tree.Read("solution_000.py")
	rep := testrun.Report{Results: outcome.Results{}, Failures: map[string]testrun.Failure{}}
	rep.Results[req.Tests[0]] = outcome.Failed
	if strings.Contains(string(src), "x + x") {
		rep.Results[req.Tests[0]] = outcome.Passed
	} else {
		rep.Failures[req.Tests[0]] = testrun.Failure{Kind: "AssertionError", Message: "assert 0 == 4", TestLine: 5}
	}
	return rep, err
}

func TestABugIsAttemptedAndATextRunOnce(t *testing.T) {
	f := Function{ID: "a", Declaration: "def twice(x):\n", Buggy: "    return x - x\n", Right: "    return x + x\n", Test: "def check(f):\n    assert f(2) == 4\n", Entry: "twice"}
	base, err := tree.FromFiles(map[string]*tree.File{"solution_000.py": tree.Text(f.Source()), "test_solution_000.py": tree.Text(f.Test)})
	if err != nil {
		t.Fatal(err)
	}
	d := &doubles{}
	set := &Functions{runner: d, known: map[string]testrun.Report{}, Bugs: []Bug{{&f, arena.Red{Tree: base, Tests: []string{"test_solution_000.py::test_twice"},
		Failure:  testrun.Failure{Kind: "AssertionError", Message: "assert 0 == 4", TestLine: 2},
		Contexts: []arena.Context{{Path: "solution_000.py", Function: "twice", FirstLine: 1, LastLine: 2}},
		Suspects: []arena.Suspect{{Path: "solution_000.py", Line: 2, Score: 1}}}}}}
	p := builtin.New()
	p.Temperature = 0
	r, err := Measure(t.Context(), set, "hand", "v", p, 16, 4, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.Solved["a"] == 0 || len(r.At) != 3 || len(r.Rolls) != 3 {
		t.Fatalf("%+v", r)
	}
	for i, s := range append(r.At[1:], r.Rolls[1:]...) {
		if before := append(r.At, r.Rolls...)[i]; i != 2 && s.Solved < before.Solved {
			t.Errorf("more compute solves less: %+v after %+v", s, before)
		}
	}
	if last := r.Rolls[len(r.Rolls)-1]; last.Within != 4 || last.Solved != 1 || last.Low <= 0 || last.High != 1 {
		t.Errorf("%+v", last)
	}
	runs := d.runs
	if _, err := Measure(t.Context(), set, "hand", "v", p, 16, 4, 1, 1); err != nil || d.runs != runs {
		t.Errorf("a text was run again: %d runs, then %d; %v", runs, d.runs, err)
	}
	reach, err := set.Reach(nil, func(string) bool { return true })
	if err != nil || len(reach) != 1 || reach[0].Moves != 1 || reach[0].Rank == 0 {
		t.Errorf("%+v, %v", reach, err)
	}
}
