package testrun

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

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
	got, modules, err := m.traceInChildren(ctx, b, md, tests)
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

// traceInChildren measures each test in a child of a warm process.
func (m measurement) traceInChildren(ctx context.Context, b *Baseline, md mode, tests []string) (*trace, []string, error) {
	keeper, ok := m.box.(sandbox.Keeper)
	if !ok {
		return nil, nil, fmt.Errorf("this sandbox cannot keep a box open")
	}
	deadline := func(string) time.Duration { return 3 * m.deadline } // the tracer
	j := job{tree: m.tree, env: m.env, mode: md, coverage: m.coverage, loading: 3 * max(m.deadline, DefaultBaselineDeadline), deadline: deadline}
	var first *ready
	w := newWarm(keeper, func(int) job { return j }, func(Tier) plan { return plan{Warm: "collected"} }, func(_ Tier, r ready) error {
		if first == nil {
			first = &r
		}
		return nil
	})
	defer w.close()
	k := kind{tier: CodeSwap}
	p, release, err := w.acquire(ctx, k) // one before all others, whose word is taken for loading
	if err != nil {
		return nil, nil, err
	}
	release(false)
	_ = p
	got := newTrace()
	if first.Cover == nil {
		return nil, nil, fmt.Errorf("the warm process did not trace")
	}
	got.addLoading(*first.Cover)
	has := map[string]bool{}
	for _, id := range first.IDs {
		has[id] = true
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	results := make(chan *session, atOnce)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range results {
			if s.trace != nil {
				got.merge(s.trace)
			}
		}
	}()
	for _, id := range tests {
		if !has[id] {
			continue // it stays unknown what it runs
		}
		g.Go(func() error {
			one := j
			one.tests = []string{id}
			s, err := w.run(ctx, k, one, zygote.Request{Body: body{Tests: one.tests, Files: []string{}, Paths: []string{}}, Init: true, Network: true})
			if err != nil {
				return err
			}
			results <- s
			return nil
		})
	}
	err = g.Wait()
	close(results)
	<-done
	return got, first.Modules, err
}
