package check

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// suiteOf is a baseline of two test files, of which each loads one module.
func suiteOf() *testrun.Baseline {
	b := &testrun.Baseline{Order: []string{"test_a.py::test_one", "test_a.py::TestC::test_two[1]", "test_b.py::test_b", "test_b.py::test_starts"}, Spawns: []string{"test_b.py::test_starts"}}
	b.Trace.Edges = map[string][]string{"test_a.py": {"a.py"}, "a.py": {"deep.py"}, "test_b.py": {"b.py"}, "": {"test_a.py", "test_b.py"}}
	b.Trace.Imports = map[string][]string{"test_b.py::test_b": {"late.py"}}
	return b
}

func TestWhatATestNeedsIsItsOwnCodeAndWhatItLoads(t *testing.T) {
	files := map[string]string{
		"a.py": "x = 1\n", "deep.py": "y = 1\n", "b.py": "z = 1\n", "late.py": "w = 1\n", "conftest.py": "import os\n", "data.json": "{}",
		"test_a.py": "import a\n\n\ndef helper():\n    return 1\n\n\ndef test_one():\n    assert helper()\n\n\nclass TestC:\n    def test_two(self):\n        assert a.x\n",
		"test_b.py": "import b\n\n\ndef test_b():\n    import late\n\n\ndef test_starts():\n    pass\n",
	}
	needs := func(change map[string]string) map[string]string {
		now := maps.Clone(files)
		maps.Copy(now, change)
		out := map[string]string{}
		for _, one := range Tests(treeOf(t, now), suiteOf()) {
			out[one.ID] = one.Needs
			if one.Path == "" || one.Line == 0 || one.Needs == "" {
				t.Errorf("%+v", one)
			}
		}
		return out
	}
	before := needs(nil)
	a1, a2, b1, b2 := "test_a.py::test_one", "test_a.py::TestC::test_two[1]", "test_b.py::test_b", "test_b.py::test_starts"
	for name, c := range map[string]struct {
		change map[string]string
		want   []string
	}{
		"nothing":                    {nil, nil},
		"a module":                   {map[string]string{"a.py": "x = 2\n"}, []string{a1, a2, b2}},
		"a module of a module":       {map[string]string{"deep.py": "y = 2\n"}, []string{a1, a2, b2}},
		"what one test imports late": {map[string]string{"late.py": "w = 2\n"}, []string{b1, b2}},
		"configuration":              {map[string]string{"conftest.py": "import sys\n"}, []string{a1, a2, b1, b2}},
		"a data file":                {map[string]string{"data.json": "[]"}, []string{a1, a2, b1, b2}},
		"a helper beside them":       {map[string]string{"test_a.py": strings.Replace(files["test_a.py"], "return 1", "return 2", 1)}, []string{a1, a2, b2}},
		"one test":                   {map[string]string{"test_a.py": strings.Replace(files["test_a.py"], "assert helper()", "assert not helper()", 1)}, []string{a1, b2}},
		"a new test at the end":      {map[string]string{"test_a.py": files["test_a.py"] + "\n    def test_three(self):\n        pass\n\n\ndef test_four():\n    pass\n"}, []string{b2}},
		"a new test in front":        {map[string]string{"test_a.py": strings.Replace(files["test_a.py"], "def test_one", "def test_zero():\n    pass\n\n\ndef test_one", 1)}, []string{b2}},
		"a new file of tests":        {map[string]string{"test_c.py": "def test_c():\n    pass\n"}, []string{b2}},
	} {
		var changed []string
		for id, now := range needs(c.change) {
			if before[id] != now {
				changed = append(changed, id)
			}
		}
		slices.Sort(changed)
		slices.Sort(c.want)
		if !slices.Equal(changed, c.want) {
			t.Errorf("%s: changed for %v, want %v", name, changed, c.want)
		}
	}
}

func TestAnEarlierCheckHoldsWhereNothingThatDecidedItChanged(t *testing.T) {
	tests := func(ids ...string) (ts []Test) { // "id=needs"
		for _, s := range ids {
			id, needs, _ := strings.Cut(s, "=")
			ts = append(ts, Test{ID: id, Needs: needs})
		}
		return ts
	}
	old := &Record{Plan: planOf("s", tests("t=1", "u=1", "v=1")...), Results: []Result{
		resultOf("caught by t", outcome.Valid, 0, 1), resultOf("caught by u", outcome.Valid, 0, 1), resultOf("missed", outcome.Unnoticed, 0, 1, 2),
		resultOf("timed out", outcome.TimedOutBreak, 0), resultOf("not covered", outcome.Uncovered),
	}}
	old.Results[0].Test, old.Results[1].Test, old.Results[3].Test = "t", "u", "t"
	kept := func(p Plan) []string { return slices.Sorted(maps.Keys(Since(old, p).Kept)) }

	if got := kept(planOf("s", old.Plan.Tests...)); len(got) != 5 {
		t.Errorf("of the same code %v hold", got)
	}
	elsewhere := planOf("s", old.Plan.Tests...)
	elsewhere.Environment = "other"
	if got := kept(elsewhere); len(got) != 0 {
		t.Errorf("in another environment %v hold", got)
	}
	// u changed, w is new and stands before all others.
	next := planOf("s2", tests("w=1", "t=1", "u=2", "v=1")...)
	e := Since(old, next)
	if got := kept(next); !slices.Equal(got, []string{"caught by t"}) {
		t.Errorf("after a change of u %v hold", got)
	}
	if c := e.Kept["caught by t"].Covering; c.String() != "1" {
		t.Errorf("the tests that run it are now %v", c)
	}
	missed := resultOf("missed", "").Mutation
	for id, want := range map[string]bool{"t": true, "v": true, "u": false, "w": false, "x": false} {
		if got := e.Spared(missed, id); got != want {
			t.Errorf("%s is spared: %v", id, got)
		}
	}
	if e.Spared(resultOf("timed out", "").Mutation, "t") {
		t.Error("a test is spared on a mutation that was not missed")
	}
	code := planOf("s3", old.Plan.Tests...)
	code.Files = map[string]string{"a.py": "x = 1 \n"}
	if got := Since(old, code); len(got.Kept) != 0 || got.Spared != nil {
		t.Errorf("after a change of the code %+v hold", got.Kept)
	}
}

func TestKeptResultsAreNotJudgedAgainAndSparedTestsNotRun(t *testing.T) {
	tr := treeOf(t, map[string]string{"m.py": "def f(a, b):\n    return a + b\n"})
	ms := mutationsOf(t, tr)
	s := &script{affected: three, run: func(n int, req testrun.Request) (testrun.Report, error) { return says(req, nil), nil }}
	kept := Result{Mutation: ms[0], Outcome: outcome.Valid, Test: "a"}
	var stored []string
	got, end, err := Run(context.Background(), context.Background(), Config{Suite: s, Tree: tr, Base: base, Order: three, Mutations: ms[:3], Workers: 1,
		Kept:   map[string]Result{ms[0].ID: kept},
		Spared: func(m mutate.Mutation, test string) bool { return m.ID == ms[1].ID && test != "b" || m.ID == ms[2].ID },
		Store:  func(r Result, log []byte) error { stored = append(stored, r.Mutation.ID); return nil },
	})
	if err != nil || end != Done || len(got) != 3 || got[0].Test != "a" || got[1].Outcome != outcome.Unnoticed || got[2].Outcome != outcome.Unnoticed {
		t.Fatalf("%+v, %s, %v", got, end, err)
	}
	if len(s.asked) != 1 || !slices.Equal(s.asked[0].Tests, []string{"b"}) || got[1].Spared != 2 || got[1].Completed != 1 || got[2].Spared != 3 {
		t.Errorf("asked for %v; %+v", s.asked, got)
	}
	if got[1].Covering.String() != "0-2" || !slices.Equal(stored, []string{ms[1].ID, ms[2].ID}) {
		t.Errorf("covered by %v, stored %v", got[1].Covering, stored)
	}
	full := errors.New("the disk is full")
	_, _, err = Run(context.Background(), context.Background(), Config{Suite: s, Tree: tr, Base: base, Mutations: ms[:1], Workers: 1, Store: func(Result, []byte) error { return full }})
	if !errors.Is(err, full) {
		t.Errorf("a result that cannot be stored: %v", err)
	}
}

func TestTheLogTellsWhichTestsRanAndHowTheFirstRedOneFailed(t *testing.T) {
	s := &script{affected: three, run: func(n int, req testrun.Request) (testrun.Report, error) {
		r := says(req, outcome.Results{"b": outcome.Failed, "c": outcome.Absent})
		r.Failures["b"] = testrun.Failure{Kind: "AssertionError", Message: "assert 1 == 2\n  where", Path: "m.py", Line: 2}
		r.Tier = testrun.CodeSwap
		return r, nil
	}}
	tr := treeOf(t, map[string]string{"m.py": "def f(a, b):\n    return a + b\n"})
	r, log, err := Config{Suite: s, Tree: tr, Base: base, Order: three}.One(context.Background(), mutationsOf(t, tr)[0])
	if err != nil || r.Completed != 2 || r.Failure != "AssertionError: assert 1 == 2" {
		t.Errorf("%+v, %v", r, err)
	}
	for _, want := range []string{"mutation  " + r.Mutation.ID, "m.py:2 in f", "outcome   caught", "noticed   b", "run in code_swap, 2 of 3 tests", "  passed    a\n", "  failed    b\n",
		"b failed: AssertionError: assert 1 == 2\n    at m.py:2\n"} {
		if !strings.Contains(string(log), want) {
			t.Errorf("no %q in\n%s", want, log)
		}
	}
	if strings.Contains(string(log), "absent") {
		t.Errorf("a test that did not run is listed:\n%s", log)
	}
}

func TestShardsMergeToTheWhole(t *testing.T) {
	part := func(k int, results ...Result) *Record {
		p := planOf("s", Test{ID: "t"}, Test{ID: "u"})
		if k == 2 {
			p.Tests = []Test{{ID: "u"}, {ID: "t"}} // measured elsewhere, in another order
		}
		p.Choice.Shard, p.Mutations, p.Chosen = Shard{k, 2}, len(results), len(results)
		return &Record{Plan: p, Results: results, Ended: Done, Seconds: map[string]float64{"check": 1}}
	}
	names := []string{"one", "two"}
	a, b := part(1, resultOf("a", outcome.Valid, 0)), part(2, resultOf("b", outcome.Unnoticed, 0), resultOf("c", outcome.Valid, 1))
	whole, err := Merge([]*Record{a, b}, names)
	if err != nil || len(whole.Results) != 3 || whole.Plan.Chosen != 3 || whole.Plan.Choice.Shard.N != 0 || whole.Ended != Done || whole.Seconds["check"] != 2 {
		t.Fatalf("%+v, %v", whole, err)
	}
	for i, want := range []string{"t", "u", "t"} {
		if got := whole.Plan.Names(whole.Results[i].Covering); !slices.Equal(got, []string{want}) {
			t.Errorf("%s is run by %v", whole.Results[i].Mutation.ID, got)
		}
	}
	if got := Missing([]*Record{b}); !slices.Equal(got, []string{"1/2"}) {
		t.Errorf("missing %v", got)
	}
	other, elsewhere, operators := part(2), part(2), part(2)
	other.Plan.Snapshot, elsewhere.Plan.Environment, operators.Plan.Choice.Operators = "s2", "env2", []string{"x"}
	for want, second := range map[string]*Record{"other code": other, "another environment": elsewhere, "another choice": operators, "the same shard": part(1)} {
		var bad *FolderError
		if _, err := Merge([]*Record{a, second}, names); !errors.As(err, &bad) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := Merge([]*Record{a, part(2, resultOf("a", outcome.Unnoticed))}, names); err == nil || !strings.Contains(err.Error(), "caught in one of the folders and missed in two") {
		t.Errorf("two outcomes: %v", err)
	}
}

func TestReachCountsTheFunctionsThatCanComeToAFunction(t *testing.T) {
	tr := treeOf(t, map[string]string{
		"a.py": "LIMIT = 3\n\n\ndef low(x):\n    return x\n\n\ndef mid(x):\n    return low(x)\n\n\nclass C:\n    def __init__(self):\n        self.v = mid(1)\n\n    def own(self):\n        return self.v\n",
		"b.py": "import a\n\n\ndef high():\n    return a.C().own()\n\n\ndef apart():\n    return 1\n",
		"c.py": "def low(x):\n    return x\n\n\ndef user():\n    return low(1)\n",
	})
	got, err := Reach(tr, []string{"a.py", "b.py", "c.py"}, map[string][]string{"b.py": {"a.py"}, "test_b.py": {"b.py"}})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{
		"a.py::low":   4, // low, mid, C.__init__, high
		"a.py::mid":   3, // mid, C.__init__, high
		"a.py::C.own": 2, // own, high
		"b.py::high":  1, "b.py::apart": 1,
		"c.py::low": 2,               // its own user, not those of a.py
		"a.py::":    6, "a.py::C": 6, // every function of a.py and of b.py
		"b.py::": 2,
	} {
		if got[key] != want {
			t.Errorf("%s is reached from %d functions, want %d", key, got[key], want)
		}
	}
}

func TestADiffOfTheRecordIsWhatTheMutationDoes(t *testing.T) {
	body := "import os\n" + strings.Repeat("\n\ndef f(a, b):\n    if a > b:\n        return a - b\n    return a + b\n", 12) + "x = [1,\n     2]" // no newline at its end
	tr := treeOf(t, map[string]string{"m.py": body})
	src, _ := tr.Read("m.py")
	for _, m := range mutationsOf(t, tr) {
		diff, err := DiffOf(src, m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := tree.Apply(tr, diff)
		if err != nil {
			t.Fatalf("%v\n%s", err, diff)
		}
		got, _ := back.Read("m.py")
		if want, _ := mutate.ApplyTo(src, m); string(got) != string(want) {
			t.Errorf("%s: %q, want %q", m.ID, got, want)
		}
	}
}
