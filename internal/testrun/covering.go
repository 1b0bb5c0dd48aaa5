package testrun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/testrun/zygote"
)

// What each test runs is measured in a child of its own, forked from a process
// that has loaded the suite: what a fixture of a session or a cache does once
// is then charged to every test that needs it. Where no such process can be
// had, one run of the suite tells, and a line that ran once only because its
// result was kept is charged to the first test that ran it.

// loadless reports whether no run came to its tests.
func (b *Baseline) loadless(runs []*tally) bool { return len(b.Order) == 0 || runs[0].loadError != "" }

// trace measures what each test runs.
func (m measurement) trace(ctx context.Context, b *Baseline, md mode, runs []*tally) error {
	killed := map[string]bool{} // tests that hung or ended their process: their lines go with it
	for _, t := range runs {
		maps.Copy(killed, t.killed)
	}
	var tests []string
	for _, id := range b.Order {
		if !killed[id] {
			tests = append(tests, id)
		}
	}
	got, alone, modules, err := m.traceInChildren(ctx, b, md, tests)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		slog.Info("what tests run is measured in one process", "why", err)
		s := m.series(md, m.coverage)
		s.tests, s.anyRoot = tests, true
		t, err := s.run(ctx)
		if err != nil {
			return err
		}
		if t.trace == nil {
			return fmt.Errorf("measure covered lines: the run with coverage.py reported none: %s", clip(t.loadError+t.output, 500))
		}
		got = t.trace
	}
	if err == nil {
		if err := m.setAside(ctx, b, md, alone); err != nil {
			return err
		}
	}
	build := newCoverBuilder(b.Order)
	for id, several := range got.lines {
		for _, l := range several {
			build.add(id, l)
		}
	}
	b.Cover, b.Trace, b.Modules = build.build(), got.Trace, modules
	for _, id := range b.Order {
		_, counts := b.Results[id]
		if counts && (got.spawns[id] || !got.ended[id] && !killed[id]) {
			b.Spawns = append(b.Spawns, id)
		}
	}
	slices.Sort(b.Spawns)
	return nil
}

// traceInChildren measures each test in a child of a warm process,
// and returns, beside what they did, the verdict of each and the modules that
// are loaded with the suite.
func (m measurement) traceInChildren(ctx context.Context, b *Baseline, md mode, tests []string) (*trace, outcome.Results, []string, error) {
	got, alone := newTrace(), outcome.Results{}
	first, err := m.eachAlone(ctx, md, m.coverage, tests, func(s *session) {
		if s.trace != nil {
			got.merge(s.trace)
		}
		for id, v := range s.verdicts {
			alone[id] = v
		}
	})
	if err != nil {
		return nil, nil, nil, err
	}
	if first.Cover == nil {
		return nil, nil, nil, errors.New("the warm process did not trace")
	}
	got.addLoading(*first.Cover)
	return got, alone, first.Modules, nil
}

// ordered is the share of tests that depend on tests before them up to which
// they are set aside. Where there are more it is the suite's way, and every run
// is a whole one in a fresh process.
const ordered = 0.05

// aloneRuns is how often a test that said something else alone is run alone
// again: what depends on other tests says the same each time, chance does not.
const aloneRuns = 4

// setAside takes tests out of the baseline that say something else when they
// run alone: what they say depends on tests that ran before them, which a
// selection leaves out, or on chance. A test that only minds the tracer stays.
func (m measurement) setAside(ctx context.Context, b *Baseline, md mode, alone outcome.Results) error {
	var differ []string
	for _, id := range b.Order {
		if v, counts := b.Results[id]; counts && alone.Get(id) != v && alone.Get(id) != outcome.Absent {
			differ = append(differ, id)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	said := map[string][]outcome.Verdict{}
	for range aloneRuns {
		if _, err := m.eachAlone(ctx, md, "", differ, func(s *session) {
			for id, v := range s.verdicts {
				said[id] = append(said[id], v)
			}
		}); err != nil {
			return err
		}
	}
	var depend, chance []string
	for _, id := range differ {
		now, was := said[id], b.Results[id]
		switch {
		case !slices.ContainsFunc(now, func(v outcome.Verdict) bool { return v != was }):
		case len(slices.Compact(slices.Clone(now))) == 1:
			depend = append(depend, id)
		default:
			chance = append(chance, id)
		}
	}
	if float64(len(depend)) > ordered*float64(len(b.Results)) {
		b.Ordered, depend = depend, nil
	}
	for _, id := range slices.Concat(depend, chance) {
		b.Flaky = append(b.Flaky, Flaky{Test: id, Verdicts: append([]outcome.Verdict{b.Results[id]}, said[id]...)})
		delete(b.Results, id)
		delete(b.Seconds, id)
	}
	sort.Slice(b.Flaky, func(i, j int) bool { return b.Flaky[i].Test < b.Flaky[j].Test })
	return nil
}

// eachAlone runs each test in a child of its own and hands every session to
// take, one at a time. It returns what the first warm process said.
func (m measurement) eachAlone(ctx context.Context, md mode, coverage string, tests []string, take func(*session)) (ready, error) {
	keeper, ok := m.box.(sandbox.Keeper)
	if !ok {
		return ready{}, errors.New("this sandbox cannot keep a box open")
	}
	deadline := func(string) time.Duration { return 3 * m.deadline } // the tracer
	j := job{tree: m.tree, env: m.env, mode: md, coverage: coverage, loading: 3 * max(m.deadline, DefaultBaselineDeadline), deadline: deadline}
	var mu sync.Mutex
	var first *ready
	w := newWarm(keeper, func(int) job { return j }, func(Tier) plan { return plan{Warm: "collected"} }, func(_ Tier, r ready) error {
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = &r
		}
		return nil
	})
	defer w.close()
	k := kind{tier: CodeSwap}
	_, release, err := w.acquire(ctx, k) // one before all others, whose word is taken for loading
	if err != nil {
		return ready{}, err
	}
	release(false)
	said := *first
	has := map[string]bool{}
	for _, id := range said.IDs {
		has[id] = true
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, id := range tests {
		if !has[id] {
			continue // it stays unknown what it does
		}
		g.Go(func() error {
			one := j
			one.tests = []string{id}
			s, err := w.run(gctx, k, one, zygote.Request{Body: body{Tests: one.tests, Files: []string{}, Paths: []string{}}, Init: true, Network: true})
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			take(s)
			return nil
		})
	}
	return said, g.Wait()
}
