package bug

import (
	"context"
	"slices"
	"sort"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// needRuns is how often the red tests must be red again, each time in a fresh
// process. A test of the baseline agreed with itself in three runs there, so
// one that is flaky with probability p of going red got in with (1-p)³; to be
// taken for the work of the bug it must then be red in the suite's run and in
// k repeats, p^(k+1). The product (1-p)³·p^(k+1) is largest at p = (k+1)/(k+4):
// 3.5 % for k = 1, 2.0 % for k = 2, 0.8 % for k = 3 with 57 % red. A tenth of
// the tests being that flaky, fewer than one red test in a thousand is a lie.
// More repeats buy little: flakiness that the break itself brings (p near 1)
// shows only in runs without end, and the grading's own repeats see it.
const needRuns = 3

// maxSample bounds how many red tests are repeated; of more, this many evenly
// spaced ones in the order of their ids.
const maxSample = 20

// otherHashSeed is a PYTHONHASHSEED that is not the usual one.
const otherHashSeed = 4242

// giveUpAfter is how many tests may time out; it is the runner's own default.
const giveUpAfter = 3

// parallel is how many runs one validation makes at the same time.
const parallel = 2

// baseGreen: the tests that decide were green on the base. For a candidate the
// baseline is the proof; an artifact that is verified again runs them again.
func baseGreen(ctx context.Context, t *trial) (objection, error) {
	if len(t.t.Base.Results.Passed()) == 0 {
		return object("no test passes on the base")
	}
	if t.given == nil {
		return objection{}, nil
	}
	for _, id := range t.given.InSuite() {
		if t.t.Base.Results.Get(id) != outcome.Passed {
			return object("%s is %s on the base", id, t.t.Base.Results.Get(id))
		}
	}
	sample := sampleOf(t.given.Red)
	rep, err := t.t.run(ctx, testrun.Request{Tree: t.base, Tests: sample, Fresh: true})
	if err != nil {
		return objection{}, err
	}
	for _, id := range sample {
		if v := rep.Results.Get(id); v != outcome.Passed {
			return object("%s is %s on the base", id, v)
		}
	}
	return objection{}, nil
}

// loads: the broken tree can be imported. In fresh processes only the tests that
// run the changed lines are run first; when lines changed that run at import, or
// when they are most of the suite anyway, the whole suite is. A fast tier
// selects by itself.
func loads(ctx context.Context, t *trial) (objection, error) {
	spans, err := tree.ChangedSpans(t.inject)
	if err != nil {
		return objection{}, err
	}
	atImport := false
	seen := map[string]bool{}
	var tests []string
	for _, s := range spans {
		atImport = atImport || t.t.Judge.Imported(s.Path, s.First, s.Last)
		for _, id := range t.t.Judge.Covering(s.Path, s.First, s.Last) {
			if !seen[id] && t.t.Base.Results.Get(id) == outcome.Passed {
				seen[id] = true
				tests = append(tests, id)
			}
		}
	}
	if len(tests) == 0 && !atImport && t.given == nil {
		return objectAs(outcome.Uncovered, "no test runs the changed lines")
	}
	req := testrun.Request{Tree: t.broken, Tests: tests}
	if atImport || t.given != nil || t.cand.Tier != 0 || len(tests) > len(t.t.Base.Results)/2 {
		req.Tests = nil
	}
	rep, err := t.t.run(ctx, req)
	if err != nil {
		return objection{}, err
	}
	t.ran(rep)
	if !rep.Loaded {
		return objectAs(outcome.Broken, "the broken tree does not load: %s", rep.LoadError)
	}
	t.whole = rep
	if req.Tests == nil || rep.GaveUp || len(outcome.Red(t.t.Base.Results, rep.Results)) == 0 {
		return objection{}, nil
	}
	// The whole suite once: its run is the truth about the red set.
	rep, err = t.t.run(ctx, testrun.Request{Tree: t.broken})
	if err != nil {
		return objection{}, err
	}
	t.ran(rep)
	t.whole = rep
	if !rep.Loaded {
		return objectAs(outcome.Broken, "the broken tree does not load: %s", rep.LoadError)
	}
	return objection{}, nil
}

// goesRed: at least one test that passed on the base is red, or a witness is.
func goesRed(ctx context.Context, t *trial) (objection, error) {
	hung := 0
	for _, v := range t.whole.Results {
		if v == outcome.TimedOut {
			hung++
		}
	}
	// Counted as well as told: a run that found some of its verdicts in the
	// cache gives up later than one that made them all.
	if t.whole.GaveUp || hung >= giveUpAfter {
		return objectAs(outcome.TimedOutBreak, "the run gave up before the red set was known: several tests timed out or killed their process, or all together took too long")
	}
	t.red = outcome.Red(t.t.Base.Results, t.whole.Results)
	if len(t.red) == 0 {
		if o, err := t.witnessed(ctx); err != nil || o.reason != "" {
			return o, err
		}
	}
	t.sample = sampleOf(t.red)
	if t.given != nil && !slices.Equal(t.red, t.given.Red) {
		return object("the red set is not the one of red.txt: %s", firstDifference(t.given.Red, t.red))
	}
	return objection{}, nil
}

// repeats: the same tests are red in needRuns fresh processes. The run under
// another hash seed and in reverse order, for the check hermetic, is made along
// with them. A test that hung has its whole deadline once more, then a shorter one.
func repeats(ctx context.Context, t *trial) (objection, error) {
	reps := make([]testrun.Report, needRuns+1)
	var hung []string
	for _, id := range t.sample {
		if t.whole.Results.Get(id) == outcome.TimedOut {
			hung = append(hung, id)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i := range reps {
		g.Go(func() (err error) {
			req := testrun.Request{Tree: t.broken, Tests: t.sample, Fresh: true}
			if i > 0 {
				req.Hung = hung
			}
			if i == needRuns {
				req.HashSeed, req.Reverse = otherHashSeed, true
			}
			reps[i], err = t.t.run(ctx, req)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return objection{}, err
	}
	for i := range reps {
		t.ran(reps[i])
	}
	t.seeded = &reps[needRuns]
	for i, rep := range reps[:needRuns] {
		if now := redOf(rep, t.sample); !slices.Equal(now, t.sample) {
			return objectAs(outcome.FlakyBreak, "in repeat %d of %d the red set differs: %s", i+1, needRuns, firstDifference(t.sample, now))
		}
	}
	return objection{}, nil
}

// sameUnderAnotherSeedAndOrder: the red set depends neither on the hash seed nor
// on the order of the tests. Which of the two it was is asked only where it differs.
func sameUnderAnotherSeedAndOrder(ctx context.Context, t *trial) (objection, error) {
	now := redOf(*t.seeded, t.sample)
	if slices.Equal(now, t.sample) {
		return objection{}, nil
	}
	rep, err := t.t.run(ctx, testrun.Request{Tree: t.broken, Tests: t.sample, Fresh: true, Reverse: true})
	if err != nil {
		return objection{}, err
	}
	if turned := redOf(rep, t.sample); !slices.Equal(turned, t.sample) {
		return object("in reverse order the red set differs: %s", firstDifference(t.sample, turned))
	}
	return object("under another hash seed the red set differs: %s", firstDifference(t.sample, now))
}

// looksNew: no known bug changes the same lines and shows the same: the same
// tests red, each with the same exception and the same words.
func looksNew(_ context.Context, t *trial) (objection, error) {
	if t.given != nil && t.known == nil {
		return notApplicable("an artifact is verified by itself")
	}
	if max(t.cand.Order, 1) > 1 {
		return notApplicable("a bug of higher order may show what its parent shows")
	}
	look, err := lookOf(t.base.Digest(), t.inject, t.red, t.whole.Failures)
	if err != nil {
		return objection{}, err
	}
	t.look = look
	if id := t.known.looking(look); id != "" {
		return object("%s", showsTheSame(id))
	}
	return objection{}, nil
}

// redOf returns which of the tests are red in a report, sorted.
func redOf(rep testrun.Report, tests []string) []string {
	var red []string
	for _, id := range tests {
		if rep.Results.Get(id).Red() {
			red = append(red, id)
		}
	}
	sort.Strings(red)
	return red
}

// sampleOf returns at most maxSample tests, evenly spaced, sorted.
func sampleOf(tests []string) []string {
	if len(tests) <= maxSample {
		return tests
	}
	out := make([]string, maxSample)
	for i := range out {
		out[i] = tests[i*len(tests)/maxSample]
	}
	return out
}

// firstDifference names the first test in which two sorted sets differ.
func firstDifference(want, got []string) string {
	for _, id := range want {
		if !slices.Contains(got, id) {
			return id + " is not red"
		}
	}
	for _, id := range got {
		if !slices.Contains(want, id) {
			return id + " is red too"
		}
	}
	return "the sets are equal"
}

// filesNeeded: restoring any changed file changes the red set.
func filesNeeded(ctx context.Context, t *trial) (objection, error) {
	if max(t.cand.Order, 1) > 1 {
		return notApplicable("a bug of higher order is what a repair left, whole")
	}
	paths := tree.Differ(t.base, t.broken)
	i, err := t.unneeded(ctx, len(paths), func(drop []int) (*tree.Tree, error) {
		files := map[string]*tree.File{}
		for _, d := range drop {
			data, err := t.base.Read(paths[d])
			if err != nil {
				return nil, err
			}
			files[paths[d]] = &tree.File{Kind: t.base.Kind(paths[d]), Data: data}
		}
		return t.broken.With(files)
	})
	if err != nil || i < 0 {
		return objection{}, err
	}
	return object("%s restored alone leaves the red set as it is", paths[i])
}

// hunksNeeded: restoring any hunk changes the red set.
func hunksNeeded(ctx context.Context, t *trial) (objection, error) {
	if max(t.cand.Order, 1) > 1 {
		return notApplicable("a bug of higher order is what a repair left, whole")
	}
	hunks, err := tree.Hunks(t.inject)
	if err != nil {
		return objection{}, err
	}
	if len(hunks) == len(tree.Differ(t.base, t.broken)) {
		return objection{}, nil // one hunk a file: file_needed has judged them
	}
	i, err := t.unneeded(ctx, len(hunks), func(drop []int) (*tree.Tree, error) { return tree.Without(t.base, t.inject, drop) })
	if err != nil || i < 0 {
		return objection{}, err
	}
	return object("hunk %d of %d (%s line %d) restored alone leaves the red set as it is", i+1, len(hunks), hunks[i].Path, hunks[i].OldStart)
}

// unneeded is the inverse mutation: it restores each of n parts alone and
// returns the first whose restoration changes nothing, -1 when all matter. A
// part that changes nothing alone still matters when it does together with
// another one that alone changes nothing either, or more than that other alone,
// or that does not load without it; and when it is a break without the others.
// Where the red tests stay as they are the
// rest of the suite is asked too: a part may have kept another test green.
func (t *trial) unneeded(ctx context.Context, n int, without func(drop []int) (*tree.Tree, error)) (int, error) {
	if n < 2 {
		return -1, nil
	}
	left := func(drop ...int) ([]string, error) {
		w, err := without(drop)
		if err != nil {
			return nil, err
		}
		rep, err := t.t.run(ctx, testrun.Request{Tree: w, Tests: t.red})
		if err != nil {
			return nil, err
		}
		if rep.Loaded && slices.Equal(redOf(rep, t.red), t.red) {
			if rep, err = t.t.run(ctx, testrun.Request{Tree: w}); err != nil {
				return nil, err
			}
			return outcome.Red(t.t.Base.Results, rep.Results), nil
		}
		if !rep.Loaded {
			return []string{"it does not load"}, nil
		}
		return redOf(rep, t.red), nil
	}
	alone := make([][]string, n)
	for i := range n {
		var err error
		if alone[i], err = left(i); err != nil {
			return 0, err
		}
	}
	for i := range n {
		needed := !slices.Equal(alone[i], t.red)
		for j := 0; j < n && !needed; j++ {
			if j == i {
				continue
			}
			pair, err := left(i, j)
			if err != nil {
				return 0, err
			}
			needed = !slices.Equal(pair, alone[j])
		}
		if !needed && n > 2 { // of two, the pair has told
			others := make([]int, 0, n)
			for j := range n {
				if j != i {
					others = append(others, j)
				}
			}
			only, err := left(others...)
			if err != nil {
				return 0, err
			}
			needed = len(only) > 0
		}
		if !needed {
			return i, nil
		}
	}
	return -1, nil
}
