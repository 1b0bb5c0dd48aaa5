package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"breakfix/internal/arena"
	_ "breakfix/internal/lang/python" // registers the language
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
	"breakfix/internal/witness"
)

func treeOf(t *testing.T, files map[string]string) *tree.Tree {
	t.Helper()
	m := map[string]*tree.File{}
	for p, s := range files {
		m[p] = tree.Text(s)
	}
	tr, err := tree.FromFiles(m)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func mutationsOf(t *testing.T, tr *tree.Tree) []mutate.Mutation {
	t.Helper()
	ms, err := arena.NewBank(tr, nil, nil).Sites()
	if err != nil {
		t.Fatal(err)
	}
	if len(ms) == 0 {
		t.Fatal("no mutations")
	}
	return ms
}

// script is a suite whose runs say what a test tells them to.
type script struct {
	affected []string
	run      func(n int, req testrun.Request) (testrun.Report, error) // n counts from 0
	mu       sync.Mutex
	asked    []testrun.Request
}

func (s *script) Affected(*tree.Tree) ([]string, error) { return s.affected, nil }

func (s *script) Run(_ context.Context, req testrun.Request) (testrun.Report, error) {
	s.mu.Lock()
	n := len(s.asked)
	s.asked = append(s.asked, req)
	s.mu.Unlock()
	return s.run(n, req)
}

// says is a run of the tests asked for: passed, but for what is named.
func says(req testrun.Request, verdicts outcome.Results) testrun.Report {
	r := testrun.Report{Results: outcome.Results{}, Failures: map[string]testrun.Failure{}, Loaded: true, Complete: true}
	for _, id := range req.Tests {
		r.Results[id] = outcome.Passed
		if v, ok := verdicts[id]; ok {
			r.Results[id] = v
		}
	}
	return r
}

var (
	three = []string{"a", "b", "c"}
	base  = outcome.Results{"a": outcome.Passed, "b": outcome.Passed, "c": outcome.Passed, "old": outcome.Failed}
)

// judgeOne judges one mutation by the script.
func judgeOne(t *testing.T, s *script, confirm bool) Result {
	t.Helper()
	tr := treeOf(t, map[string]string{"m.py": "def f(a, b):\n    return a + b\n"})
	got, _, err := Run(context.Background(), context.Background(), Config{Suite: s, Tree: tr, Base: base, Mutations: mutationsOf(t, tr)[:1], Confirm: confirm})
	var faults *FaultsError
	if err != nil && !errors.As(err, &faults) {
		t.Fatal(err)
	}
	if len(got) != 1 {
		t.Fatalf("%d results", len(got))
	}
	return got[0]
}

func TestEveryMutationGetsTheOutcomeThatItsRunsShow(t *testing.T) {
	notLoaded := func(req testrun.Request, file string) testrun.Report {
		r := says(req, outcome.Results{"a": outcome.Absent, "b": outcome.Absent, "c": outcome.Absent})
		r.Loaded, r.Complete, r.LoadError = false, false, "NameError: x"
		if file != "" {
			r.LoadError = file + ": " + r.LoadError
			r.Uncollected = map[string]testrun.Failure{file: {Kind: "NameError"}}
		}
		return r
	}
	died := func(req testrun.Request) testrun.Report {
		r := says(req, outcome.Results{"b": outcome.Errored})
		r.Failures["b"] = testrun.Failure{Kind: "ProcessDied"}
		return r
	}
	gaveUp := func(req testrun.Request) testrun.Report {
		r := says(req, outcome.Results{"a": outcome.Absent, "b": outcome.Absent, "c": outcome.Absent})
		r.GaveUp, r.Complete = true, false
		return r
	}
	cutOff := func(req testrun.Request) testrun.Report {
		r := says(req, outcome.Results{"c": outcome.Absent})
		r.Complete = false
		return r
	}
	hang := outcome.Results{"b": outcome.TimedOut}
	for _, c := range []struct {
		name string
		runs []func(testrun.Request) testrun.Report
		want outcome.Break
		test string
	}{
		{"nothing red", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report { return says(r, nil) }}, outcome.Unnoticed, ""},
		{"one test failed", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report { return says(r, outcome.Results{"b": outcome.Failed}) }}, outcome.Valid, "b"},
		{"one test failed and the rest was not run", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report {
				rep := says(r, outcome.Results{"a": outcome.Errored, "b": outcome.Absent, "c": outcome.Absent})
				rep.Complete = false
				return rep
			}}, outcome.Valid, "a"},
		{"a test failed and one hung", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report {
				return says(r, outcome.Results{"a": outcome.TimedOut, "c": outcome.Failed})
			}}, outcome.Valid, "c"},
		{"a test is skipped now", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report { return says(r, outcome.Results{"b": outcome.Skipped}) }}, outcome.Unnoticed, ""},
		{"a file does not collect", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report { return notLoaded(r, "test_a.py") }}, outcome.Broken, ""},
		{"the process does not come to its tests, twice", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report { return notLoaded(r, "") },
			func(r testrun.Request) testrun.Report { return notLoaded(r, "") }}, outcome.Broken, ""},
		{"the process does not come to its tests, once", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report { return notLoaded(r, "") },
			func(r testrun.Request) testrun.Report { return says(r, nil) }}, outcome.FlakyBreak, ""},
		{"a test hangs, twice", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report { return says(r, hang) },
			func(r testrun.Request) testrun.Report { return says(r, hang) }}, outcome.TimedOutBreak, "b"},
		{"a test hangs once and fails then", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report { return says(r, hang) },
			func(r testrun.Request) testrun.Report { return says(r, outcome.Results{"b": outcome.Failed}) }}, outcome.Valid, "b"},
		{"a test hangs once and the rest is green", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report { return says(r, hang) },
			func(r testrun.Request) testrun.Report { return says(r, nil) },
			func(r testrun.Request) testrun.Report { return says(r, nil) }}, outcome.Unnoticed, ""},
		{"a test hangs once and another is red", []func(testrun.Request) testrun.Report{
			func(r testrun.Request) testrun.Report { return says(r, hang) },
			func(r testrun.Request) testrun.Report { return says(r, nil) },
			func(r testrun.Request) testrun.Report { return says(r, outcome.Results{"c": outcome.Failed}) }}, outcome.Valid, "c"},
		{"a test dies with its process, twice", []func(testrun.Request) testrun.Report{died, died}, outcome.Valid, "b"},
		{"a test dies with its process, once", []func(testrun.Request) testrun.Report{died,
			func(r testrun.Request) testrun.Report { return says(r, nil) }}, outcome.FlakyBreak, ""},
		{"all together take too long, twice", []func(testrun.Request) testrun.Report{gaveUp, gaveUp}, outcome.TimedOutBreak, ""},
		{"all together take too long, once", []func(testrun.Request) testrun.Report{gaveUp,
			func(r testrun.Request) testrun.Report { return says(r, nil) }}, outcome.Unnoticed, ""},
		{"the run is cut off, twice", []func(testrun.Request) testrun.Report{cutOff, cutOff}, outcome.FlakyBreak, ""},
		{"the run is cut off, once", []func(testrun.Request) testrun.Report{cutOff,
			func(r testrun.Request) testrun.Report { return says(r, outcome.Results{"c": outcome.Failed}) }}, outcome.Valid, "c"},
	} {
		s := &script{affected: three, run: func(n int, req testrun.Request) (testrun.Report, error) {
			if n >= len(c.runs) {
				t.Errorf("%s: run %d was not expected", c.name, n+1)
				return says(req, nil), nil
			}
			return c.runs[n](req), nil
		}}
		r := judgeOne(t, s, false)
		if r.Outcome != c.want || r.Test != c.test || r.Err != nil {
			t.Errorf("%s: %s by %q (%s, %v), want %s by %q", c.name, r.Outcome, r.Test, r.Reason, r.Err, c.want, c.test)
		}
		if len(s.asked) != len(c.runs) {
			t.Errorf("%s: %d runs", c.name, len(s.asked))
		}
		if r.Outcome == outcome.FlakyBreak && r.Reason == "" {
			t.Errorf("%s: set aside without a reason", c.name)
		}
		if first := s.asked[0]; first.Fresh || first.Tier != testrun.CodeSwap || !first.Decide {
			t.Errorf("%s: the first run is %+v", c.name, first)
		}
		if len(s.asked) > 1 && (!s.asked[1].Fresh || s.asked[1].Tier != testrun.FreshProcess) {
			t.Errorf("%s: the repeat is %+v", c.name, s.asked[1])
		}
	}
}

func TestARepeatRunsTheTestThatHungAndNothingElse(t *testing.T) {
	s := &script{affected: three, run: func(n int, req testrun.Request) (testrun.Report, error) {
		return says(req, map[int]outcome.Results{0: {"b": outcome.TimedOut}}[n]), nil
	}}
	judgeOne(t, s, false)
	want := []string{"a b c", "b", "a c"}
	for i, req := range s.asked {
		if got := strings.Join(req.Tests, " "); got != want[i] {
			t.Errorf("run %d was of %s, want %s", i+1, got, want[i])
		}
	}
}

func TestWhatNoTestRunsIsNotRun(t *testing.T) {
	s := &script{run: func(int, testrun.Request) (testrun.Report, error) { panic("run") }}
	if r := judgeOne(t, s, false); r.Outcome != outcome.Uncovered {
		t.Errorf("%+v", r)
	}
}

func TestAFaultOfOursIsTriedOnceMoreAndIsNoOutcome(t *testing.T) {
	broken := errors.New("the sandbox is gone")
	once := &script{affected: three, run: func(n int, req testrun.Request) (testrun.Report, error) {
		if n == 0 {
			return testrun.Report{}, broken
		}
		return says(req, nil), nil
	}}
	if r := judgeOne(t, once, false); r.Outcome != outcome.Unnoticed || r.Err != nil {
		t.Errorf("%+v", r)
	}
	always := &script{affected: three, run: func(int, testrun.Request) (testrun.Report, error) { return testrun.Report{}, broken }}
	r := judgeOne(t, always, false)
	if !errors.Is(r.Err, broken) || r.Outcome != "" || len(always.asked) != 2 {
		t.Errorf("%+v after %d runs", r, len(always.asked))
	}
	if s := summarise([]Result{r}); s.Infrastructure != 1 || s.Judged != 0 || s.Score != nil {
		t.Errorf("%+v", s)
	}
}

func TestWhatIsMissedIsConfirmedByTheWholeSuiteInAFreshProcess(t *testing.T) {
	s := &script{affected: []string{"a"}, run: func(n int, req testrun.Request) (testrun.Report, error) {
		return says(req, outcome.Results{"c": outcome.Failed}), nil
	}}
	r := judgeOne(t, s, true)
	if r.Outcome != outcome.Valid || !r.Confirmed || !r.Changed || r.Test != "c" {
		t.Errorf("%+v", r)
	}
	if second := s.asked[1]; !second.Fresh || second.Tier != testrun.FreshProcess || !slices.Equal(second.Tests, three) {
		t.Errorf("the second run was %+v", second)
	}
	if sum := summarise([]Result{r}); sum.Confirm == nil || *sum.Confirm != (Confirm{1, 1}) {
		t.Errorf("%+v", sum.Confirm)
	}
}

func TestAStopFinishesWhatIsBeingJudgedAndReturnsIt(t *testing.T) {
	tr := treeOf(t, map[string]string{"m.py": "def f(a, b):\n    if a > b:\n        return a - b\n    return a + b\n"})
	ms := mutationsOf(t, tr)
	drain, stop := context.WithCancel(context.Background())
	s := &script{affected: three, run: func(n int, req testrun.Request) (testrun.Report, error) {
		if n == 1 {
			stop()
		}
		return says(req, nil), nil
	}}
	got, ending, err := Run(context.Background(), drain, Config{Suite: s, Tree: tr, Base: base, Mutations: ms, Workers: 1})
	if err != nil || ending != Interrupted || len(got) != 2 {
		t.Errorf("%d results, %s, %v", len(got), ending, err)
	}
	_, ending, err = Run(context.Background(), context.Background(), Config{Suite: s, Tree: tr, Base: base, Mutations: ms, Workers: 2, Limit: time.Nanosecond})
	if err != nil || ending != TimeIsUp {
		t.Errorf("%s, %v", ending, err)
	}
	ctx, kill := context.WithCancel(context.Background())
	s.run = func(int, testrun.Request) (testrun.Report, error) { kill(); return testrun.Report{}, ctx.Err() }
	if _, _, err = Run(ctx, ctx, Config{Suite: s, Tree: tr, Base: base, Mutations: ms, Workers: 2}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestACheckWhoseMachineryFailsTooOftenStops(t *testing.T) {
	body := ""
	for i := range 40 {
		body += fmt.Sprintf("def f%d(a, b):\n    return a + b\n", i)
	}
	tr := treeOf(t, map[string]string{"m.py": body})
	s := &script{affected: three, run: func(int, testrun.Request) (testrun.Report, error) {
		return testrun.Report{}, errors.New("no space left")
	}}
	got, _, err := Run(context.Background(), context.Background(), Config{Suite: s, Tree: tr, Base: base, Mutations: mutationsOf(t, tr), Workers: 1})
	var faults *FaultsError
	if !errors.As(err, &faults) || faults.Faults != faultMinimum || len(got) != faultMinimum {
		t.Errorf("%d results, %v", len(got), err)
	}
}

// finder is a Witness that says what a test tells it to.
type finder func(*tree.Tree) (*witness.Test, string, error)

func (f finder) Find(_ context.Context, broken *tree.Tree) (*witness.Test, string, error) {
	return f(broken)
}

func TestAWitnessIsSoughtOnlyForWhatIsMissedAndAFaultThereIsNoFault(t *testing.T) {
	tr := treeOf(t, map[string]string{"a.py": "def f(x):\n    return x + 1\n"})
	ms := mutationsOf(t, tr)[:4]
	suite := &script{affected: []string{"t.py::a"}, run: func(n int, req testrun.Request) (testrun.Report, error) {
		v := outcome.Passed
		if n == 0 {
			v = outcome.Failed // the first one is caught
		}
		return testrun.Report{Loaded: true, Complete: true, Results: outcome.Results{"t.py::a": v}}, nil
	}}
	asked := 0
	results, _, err := Run(t.Context(), t.Context(), Config{Suite: suite, Tree: tr, Base: outcome.Results{"t.py::a": outcome.Passed}, Mutations: ms, Workers: 1,
		Witness: finder(func(broken *tree.Tree) (*witness.Test, string, error) {
			if asked++; broken.Digest() == tr.Digest() {
				t.Error("a witness was sought for the snapshot")
			}
			switch asked {
			case 1:
				return &witness.Test{Code: "def test_x(): pass"}, "", nil
			case 2:
				return nil, "no difference in 3 calls", nil
			}
			return nil, "", errors.New("no box")
		})})
	if err != nil || len(results) != 4 || asked != 3 {
		t.Fatalf("%d results, %d asked, %v", len(results), asked, err)
	}
	s := summarise(results)
	if s.Caught != 1 || s.Missed != 3 || s.Infrastructure != 0 || s.Witnesses == nil || *s.Witnesses != (Witnesses{Sought: 3, Found: 1}) {
		t.Errorf("%+v, %+v", s.Counts, s.Witnesses)
	}
	if r := results[3]; !strings.Contains(r.Unfound, "no box") || r.Witness != nil {
		t.Errorf("%+v", r)
	}
}

func TestAHangIsSeenAtAShortLookAndRestsOnTheWholeDeadline(t *testing.T) {
	hang := outcome.Results{"b": outcome.TimedOut}
	for _, c := range []struct {
		name  string
		runs  []outcome.Results
		hasty []bool // of each run
		want  outcome.Break
	}{
		{"it hangs", []outcome.Results{hang, hang}, []bool{true, false}, outcome.TimedOutBreak},
		{"it is slow, and all are green in their whole time", []outcome.Results{hang, nil, nil}, []bool{true, false, false}, outcome.Unnoticed},
		{"it is slow, and another hangs", []outcome.Results{hang, nil, {"c": outcome.TimedOut}, {"c": outcome.TimedOut}}, []bool{true, false, false, false}, outcome.TimedOutBreak},
		{"it fails when it has its time", []outcome.Results{hang, {"b": outcome.Failed}}, []bool{true, false}, outcome.Valid},
	} {
		s := &script{affected: three, run: func(n int, req testrun.Request) (testrun.Report, error) { return says(req, c.runs[n]), nil }}
		tr := treeOf(t, map[string]string{"m.py": "def f(a, b):\n    return a + b\n"})
		look := func(string) time.Duration { return time.Millisecond }
		r, _, err := Config{Suite: s, Tree: tr, Base: base, Look: look}.One(context.Background(), mutationsOf(t, tr)[0])
		if err != nil || r.Outcome != c.want {
			t.Errorf("%s: %s, %v", c.name, r.Outcome, err)
		}
		var hasty []bool
		for _, req := range s.asked {
			hasty = append(hasty, req.Deadline != nil)
		}
		if !slices.Equal(hasty, c.hasty) {
			t.Errorf("%s: hurried are %v", c.name, hasty)
		}
	}
}
