package bench

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

func TestWaysTakeTurnsInRotatedOrder(t *testing.T) {
	turns := plan(10, 4, 2, 1)
	var order []Way
	for _, turn := range turns {
		order = append(order, turn.way)
	}
	want := []Way{FreshSuite, FreshCovering, Core, CoreFirstRed, FreshCovering, Core, CoreFirstRed, FreshSuite}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Error(diff)
	}
}

func TestEveryWayJudgesEveryMutantOfItsOnce(t *testing.T) {
	for _, c := range []struct{ n, truth, blocks, repeat int }{{1, 1, 1, 1}, {10, 4, 2, 1}, {200, 20, 3, 1}, {7, 7, 9, 3}, {60, 1, 1, 2}} {
		judged := map[Way][]int{}
		for _, turn := range plan(c.n, c.truth, c.blocks, c.repeat) {
			judged[turn.way] = append(judged[turn.way], turn.mutants...)
		}
		for _, w := range Ways {
			n, times := c.n, 1
			if w.slow() {
				n = c.truth
			}
			if w == Core {
				times = c.repeat
			}
			var want []int
			for i := range n {
				want = append(want, slices.Repeat([]int{i}, times)...)
			}
			if got := slices.Sorted(slices.Values(judged[w])); !slices.Equal(got, want) {
				t.Errorf("%+v: %s judged %v", c, w, got)
			}
		}
	}
}

func TestTheTruthIsSpreadOverAllBlocks(t *testing.T) {
	for _, turn := range plan(200, 20, 4, 1) {
		want := 5
		if !turn.way.slow() {
			want = 50
		}
		if len(turn.mutants) != want {
			t.Errorf("block %d of %s has %d mutants, want %d", turn.block, turn.way, len(turn.mutants), want)
		}
	}
}

func TestQuantilesInterpolateBetweenNeighbours(t *testing.T) {
	for _, c := range []struct {
		xs   []float64
		q    float64
		want float64
	}{{nil, 0.5, 0}, {[]float64{7}, 0.95, 7}, {[]float64{3, 1, 2}, 0.5, 2}, {[]float64{4, 1, 3, 2}, 0.5, 2.5}, {[]float64{0, 10}, 0.95, 9.5}, {[]float64{1, 2}, 1, 2}} {
		if got := quantile(c.xs, c.q); got != c.want {
			t.Errorf("quantile(%v, %v) = %v, want %v", c.xs, c.q, got, c.want)
		}
	}
}

func TestRatesAreMutantsPerSecondOfWallTime(t *testing.T) {
	r := &runner{Config: Config{Suite: &fake{}, Workers: 2}, mutants: []mutant{{body: true}, {}}, ways: map[Way]*tally{
		FreshSuite:    {shots: []shot{{mutant: 0, took: 4 * time.Second, report: testrun.Report{Tier: testrun.FreshProcess}}}, wall: 4 * time.Second, cpu: 3 * time.Second},
		FreshCovering: {}, CoreFirstRed: {},
		Core: {shots: []shot{
			{mutant: 0, took: 10 * time.Millisecond, inside: 0.004, report: testrun.Report{Tier: testrun.CodeSwap}},
			{mutant: 1, took: 30 * time.Millisecond, inside: 0.016, report: testrun.Report{Tier: testrun.LazyImport}},
		}, wall: 20 * time.Millisecond, cpu: 10 * time.Millisecond},
	}, began: time.Now(), empty: []time.Duration{4 * time.Millisecond, 6 * time.Millisecond}}
	s := r.summarise(false)
	near := func(what string, got, want float64) {
		t.Helper()
		if got < want*0.999 || got > want*1.001 {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	near("the truth's rate", s.Ways[FreshSuite].PerSecond, 0.25)
	near("the core's rate", s.Core.PerSecond, 100)
	near("the ratio", s.Core.Ratio, 400)
	near("CPU per mutant", s.Core.CPU, 0.005)
	near("the median", s.Core.Median, 20)
	near("the median of bodies", s.Core.Body, 10)
	near("the share inside of tests", s.Inside, 0.5)
	near("the limit", *s.Limit, 200)
	near("an empty child", *s.EmptyChild, 5)
	if diff := cmp.Diff(map[string]int{"code_swap": 1, "lazy_import": 1}, s.Tiers); diff != "" {
		t.Error(diff)
	}
	if f := s.Ways[FreshCovering]; f.Mutants != 0 || f.Ratio != 0 {
		t.Errorf("a way that judged nothing: %+v", f)
	}
}

func results(kv ...string) outcome.Results {
	r := outcome.Results{}
	for i := 0; i < len(kv); i += 2 {
		r[kv[i]] = outcome.Verdict(kv[i+1])
	}
	return r
}

func TestWhatTimeDecidedIsNoDisagreement(t *testing.T) {
	base := results("a", "passed", "b", "passed", "c", "passed")
	loaded := func(r outcome.Results) testrun.Report {
		return testrun.Report{Loaded: true, Complete: true, Results: r}
	}
	for _, c := range []struct {
		name         string
		truth, other testrun.Report
		late, sure   int
	}{
		{"the same", loaded(results("a", "failed", "b", "passed", "c", "passed")), loaded(results("a", "failed", "b", "passed", "c", "passed")), 0, 0},
		{"one test", loaded(results("a", "failed", "b", "failed", "c", "passed")), loaded(results("a", "failed", "b", "passed", "c", "passed")), 0, 1},
		{"a test and the mutant", loaded(results("a", "failed", "b", "passed", "c", "passed")), loaded(base), 0, 2},
		{"a timeout", loaded(results("a", "timed_out", "b", "passed", "c", "passed")), loaded(base), 2, 0},
		{"not loaded", testrun.Report{Results: results()}, loaded(base), 0, 4},
	} {
		found, labels := differences(base, c.truth, c.other, false)
		late := 0
		for _, d := range found {
			if d.late {
				late++
			}
		}
		if late != c.late || len(found)-late != c.sure || labels != 3 {
			t.Errorf("%s: %+v, %d labels", c.name, found, labels)
		}
	}
	if found, labels := differences(base, loaded(results("a", "failed", "b", "failed", "c", "passed")), loaded(results("b", "failed")), true); len(found) != 0 || labels != 0 {
		t.Errorf("until the first red test: %+v", found)
	}
}

// fake is a suite of two tests whose core misses what fresh processes find, as
// long as wrong.
type fake struct {
	wrong func(run int) bool
	err   error
	mu    sync.Mutex
	runs  map[testrun.Tier]int
}

var base = results("a", "passed", "b", "passed")

func (f *fake) Run(_ context.Context, req testrun.Request) (testrun.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.runs == nil {
		f.runs = map[testrun.Tier]int{}
	}
	f.runs[req.Tier]++
	if f.err != nil {
		return testrun.Report{}, f.err
	}
	rep := testrun.Report{Loaded: true, Complete: true, Results: results("a", "failed", "b", "passed"), Tier: testrun.FreshProcess}
	if req.Tier == testrun.CodeSwap {
		rep.Tier = testrun.CodeSwap
		if f.wrong != nil && f.wrong(f.runs[req.Tier]) {
			rep.Results = results("a", "passed", "b", "passed")
		}
	}
	return rep, nil
}

func (*fake) Affected(*tree.Tree) ([]string, error)              { return []string{"a"}, nil }
func (*fake) InBodies(*tree.Tree) (bool, error)                  { return true, nil }
func (*fake) Kindle(context.Context, int) error                  { return nil }
func (*fake) Empty(context.Context) (time.Duration, bool, error) { return 0, false, nil }
func (*fake) Heat() testrun.Heat                                 { return testrun.Heat{} }

func measure(t *testing.T, f *fake, n, truth int) (Summary, error) {
	t.Helper()
	mutants := make([]testrun.Mutant, n)
	for i := range mutants {
		mutants[i].Mutation = mutate.Mutation{ID: "m", Path: "p.py"}
	}
	ctx := context.Background()
	return Run(ctx, ctx, Config{Suite: f, Base: base, Mutants: mutants, Truth: truth, Workers: 2})
}

func TestAVerdictThatIsNotTheTruthIsCountedAndListed(t *testing.T) {
	s, err := measure(t, &fake{wrong: func(int) bool { return true }}, 5, 3)
	if err != nil {
		t.Fatal(err)
	}
	if s.Disagree.Mutants != 3 || s.Disagree.Tests != 3 || s.Disagree.Labels != 6 || !s.Wrong() {
		t.Errorf("%+v", s.Disagree.Counts)
	}
	if len(s.Disagree.List) != 9 || !s.Disagree.List[0].Repeats { // of core and of core_first_red
		t.Errorf("%+v", s.Disagree.List)
	}
}

func TestAVerdictThatDoesNotRepeatIsCountedApart(t *testing.T) {
	s, err := measure(t, &fake{wrong: func(run int) bool { return run == 1 }}, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if s.Wrong() || s.Disagree.Tests != 0 || s.Ways[Core].Disagree.Unstable+s.Ways[CoreFirstRed].Disagree.Unstable == 0 {
		t.Errorf("%+v", s.Ways)
	}
}

func TestAFaultOfOursIsTriedOnceMoreAndThenAnError(t *testing.T) {
	f := &fake{err: errors.New("no box")}
	if _, err := measure(t, f, 1, 1); !errors.Is(err, f.err) {
		t.Errorf("error: %v", err)
	}
	if f.runs[0] != 2 {
		t.Errorf("it was tried %d times", f.runs[0])
	}
}

func TestAnInterruptSummarisesWhatWasJudged(t *testing.T) {
	ctx := context.Background()
	drain, stop := context.WithCancel(ctx)
	stop()
	s, err := Run(ctx, drain, Config{Suite: &fake{}, Base: base, Mutants: make([]testrun.Mutant, 3), Truth: 3, Workers: 1})
	if err != nil || s.Ended != Interrupted || s.Core.Mutants != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestProgressCountsEveryJudgementAndEndsWithNothingLeft(t *testing.T) {
	ctx := context.Background()
	var last Progress
	n := 0
	_, err := Run(ctx, ctx, Config{Suite: &fake{}, Base: base, Mutants: make([]testrun.Mutant, 5), Truth: 2, Workers: 2, Progress: func(p Progress) { last, n = p, n+1 }})
	if err != nil || n != 2*2+2*5 || last.Done != last.Of || last.Of != n || last.Left != 0 {
		t.Errorf("%d reports, the last one %+v, %v", n, last, err)
	}
}
