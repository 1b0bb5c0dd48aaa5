package testrun

import (
	"context"
	"sort"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
	"golang.org/x/sync/errgroup"
)

// baselineRuns is how many whole runs must agree on a verdict. A test that
// fails by chance with probability p is missed by 3 runs with (1-p)³: one that
// fails half of the time is found with 87.5 %, one in ten with 27 %. What is
// missed here is met again by the repeats of a bug's validation.
const baselineRuns = 3

// DefaultBaselineDeadline is the wall time of each test, and of collecting,
// while the baseline is measured.
const DefaultBaselineDeadline = 60 * time.Second

// atOnce is how many whole runs are measured at the same time.
const atOnce = 2

// measurement is what measuring a suite needs.
type measurement struct {
	box      sandbox.Sandbox
	env      *source.Environment
	tree     *tree.Tree
	mode     mode
	coverage string            // host folder of coverage.py
	deadline time.Duration     // of each test
	look     func(*tally) bool // sees the first run; false ends the measurement
}

func (m measurement) series(md mode, coverage string) series {
	loading := max(m.deadline, DefaultBaselineDeadline)
	if coverage != "" {
		loading *= 3 // the tracer, and writing the lines at the end
	}
	return series{box: m.box, env: m.env, tree: m.tree, mode: md, loading: loading,
		deadline: func(string) time.Duration { return m.deadline }, giveUp: 10, coverage: coverage}
}

// run measures the suite: whole runs that must agree, and one with coverage,
// two at a time. The first two runs differ in whether plugins that announce
// themselves are loaded: where that changes no verdict they stay out, which
// saves a third of the time of a small run.
func (m measurement) run(ctx context.Context) (*Baseline, mode, []*tally, error) {
	with, without := m.mode, m.mode
	with.Autoload, without.Autoload = true, false
	pair, err := m.several(ctx, m.series(with, ""), m.series(without, ""))
	if err != nil {
		return nil, with, nil, err
	}
	if !m.look(pair[0]) {
		return nil, with, pair, nil
	}
	chosen := without
	runs := pair
	if !sameVerdicts(pair[0], pair[1]) || pair[0].gaveUp || pair[0].loadError != "" {
		chosen, runs = with, pair[:1:1]
	}
	var more []series
	for i := len(runs); i < baselineRuns; i++ {
		more = append(more, m.series(chosen, ""))
	}
	rest, err := m.several(ctx, more...)
	if err != nil {
		return nil, chosen, nil, err
	}
	runs = append(runs, rest...)
	b := agree(runs)
	if b.loadless(runs) {
		return b, chosen, runs, nil // refused below, with the reason
	}
	return b, chosen, runs, m.trace(ctx, b, chosen, runs)
}

// several runs whole suites, two at a time.
func (m measurement) several(ctx context.Context, list ...series) ([]*tally, error) {
	out := make([]*tally, len(list))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, s := range list {
		g.Go(func() (err error) {
			out[i], err = s.run(gctx)
			return err
		})
	}
	return out, g.Wait()
}

// sameVerdicts reports whether two runs said the same of the same tests. A few
// tests that each run has under a name of its own (the clock in a test id) are
// no difference between two ways of running; agree sets them aside.
func sameVerdicts(a, b *tally) bool {
	if len(a.results) != len(b.results) || a.loadError != b.loadError || len(a.uncollected) != len(b.uncollected) {
		return false
	}
	own := 0
	for id, v := range a.results {
		w, both := b.results[id]
		if !both {
			own++
		} else if w != v {
			return false
		}
	}
	return own*20 <= len(a.results)
}

// agree keeps the verdicts that all runs share and names the tests on which
// they differ. A test that some run did not report is one of those.
func agree(runs []*tally) *Baseline {
	b := &Baseline{Results: outcome.Results{}, Seconds: map[string]float64{}, Broken: map[string]string{}}
	all := map[string]bool{}
	for _, r := range runs {
		for _, id := range r.ids {
			if !all[id] {
				all[id] = true
				b.Order = append(b.Order, id)
			}
		}
		for f, u := range r.uncollected {
			b.Broken[f] = u.failure.Kind + ": " + u.failure.Message
		}
	}
	for _, id := range b.Order {
		var verdicts []outcome.Verdict
		var times []float64
		same := true
		for _, r := range runs {
			v := r.results.Get(id)
			verdicts = append(verdicts, v)
			same = same && v == verdicts[0]
			if s, ok := r.seconds[id]; ok {
				times = append(times, s)
			}
		}
		if !same || verdicts[0] == outcome.Absent {
			b.Flaky = append(b.Flaky, Flaky{Test: id, Verdicts: verdicts})
			continue
		}
		b.Results[id] = verdicts[0]
		b.Seconds[id] = median(times)
	}
	sort.Slice(b.Flaky, func(i, j int) bool { return b.Flaky[i].Test < b.Flaky[j].Test })
	var walls, loads []float64
	for _, r := range runs {
		walls = append(walls, r.wall.Seconds())
		loads = append(loads, r.loadTime.Seconds())
	}
	b.Wall, b.Load = median(walls), median(loads)
	return b
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	y := append([]float64(nil), x...)
	sort.Float64s(y)
	return y[len(y)/2]
}

// place returns where each test stands in the suite's order.
func (b *Baseline) place() map[string]int {
	at := make(map[string]int, len(b.Order))
	for i, id := range b.Order {
		at[id] = i
	}
	return at
}
