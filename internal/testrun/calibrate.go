package testrun

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// Before a target is used in the fast tiers they are held against the truth:
// the whole suite of the unchanged tree, which must say what the baseline says,
// and a few mutants, judged by a fresh process too. A tier in which anything
// differs is not used for this target. The audits of a run go on with it.
const (
	calibrationMutants = 4
	calibrationTime    = 40 * time.Second // after which no further mutant is begun
)

// calibrate returns why tiers cannot be used, by name of the tier; nil when all can.
func (w *Workspace) calibrate(ctx context.Context) (map[string]string, error) {
	if w.warm == nil {
		return nil, nil
	}
	unfit := map[string]string{}
	began := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	why := map[Tier]string{}
	for _, tier := range []Tier{CodeSwap, LazyImport} {
		g.Go(func() error {
			text, err := w.unchanged(gctx, tier)
			w.mu.Lock()
			defer w.mu.Unlock()
			why[tier] = text
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	mutants, err := w.Draw(4*calibrationMutants, 1, nil)
	if err != nil {
		return nil, err
	}
	// Half of them in function bodies, for either tier.
	done := map[Tier]int{}
	for _, m := range mutants {
		if time.Since(began) > calibrationTime || done[CodeSwap]+done[LazyImport] >= calibrationMutants {
			break
		}
		tier := CodeSwap
		if c, err := w.changeOf(m.Tree); err != nil {
			return nil, err
		} else if c.swap == nil || done[CodeSwap] >= calibrationMutants/2 {
			tier = LazyImport
		}
		if why[tier] != "" || done[tier] >= calibrationMutants/2 {
			continue
		}
		text, ran, err := w.sameAsFresh(ctx, m, tier)
		if err != nil {
			return nil, err
		}
		if text != "" && ran < FreshProcess {
			why[ran] = text
		}
		done[tier]++
	}
	for tier, text := range why {
		if text != "" {
			w.warm.giveUp(tier, text)
		}
		if text := w.warm.why(tier); text != "" {
			unfit[tier.String()] = text
		}
	}
	return unfit, nil
}

// unchanged runs every test of the unchanged tree in a tier and says what
// differs from the baseline, "" when nothing does.
func (w *Workspace) unchanged(ctx context.Context, tier Tier) (string, error) {
	tests := sortedKeys(w.Base.Results)
	what := ""
	// A test that differs once and not again was not found to be flaky before.
	for range repeats {
		s := series{box: w.Box, env: w.Env, tree: w.Snapshot.Tree, mode: w.mode, tests: tests, deadline: w.Deadline, loading: w.loading()}
		w.order(s.tests)
		s.start = w.starter(tier, Request{}, s, &change{})
		got, err := s.run(ctx)
		var other *errTier
		switch {
		case errors.As(err, &other):
			return other.why, nil
		case err != nil:
			return "", err
		case got.loadError != "":
			return "it does not come to the tests: " + firstLine(got.loadError), nil
		}
		tests = slices.DeleteFunc(tests, func(id string) bool { return got.results.Get(id) == w.Base.Results[id] })
		if len(tests) == 0 {
			return "", nil
		}
		what = fmt.Sprintf("%s is %s on the unchanged tree, in a fresh process %s", tests[0], got.results.Get(tests[0]), w.Base.Results[tests[0]])
	}
	for range repeats {
		rep, err := w.Run(ctx, Request{Tree: w.Snapshot.Tree, Tests: tests, Fresh: true})
		if err != nil {
			return "", err
		}
		tests = slices.DeleteFunc(tests, func(id string) bool { return rep.Results.Get(id) != w.Base.Results[id] })
		if len(tests) == 0 {
			return "", nil // chance, in fresh processes too
		}
	}
	return what, nil
}

// sameAsFresh judges a mutant in a tier and in a fresh process and says what
// differs, "" when nothing does, and which tier ran.
func (w *Workspace) sameAsFresh(ctx context.Context, m Mutant, tier Tier) (string, Tier, error) {
	fast, err := w.Run(ctx, Request{Tree: m.Tree, Tier: tier, Fresh: true, Unaudited: true})
	if err != nil {
		return "", 0, err
	}
	truth, err := w.Run(ctx, Request{Tree: m.Tree, Fresh: true})
	if err != nil || fast.GaveUp || truth.GaveUp {
		return "", fast.Tier, err
	}
	differ := w.disagree(Request{}, sortedKeys(w.Base.Results), fast, truth)
	if len(differ) == 0 {
		return "", fast.Tier, nil
	}
	stable, err := w.stable(ctx, Request{Tree: m.Tree, Tier: tier}, differ, fast, truth)
	if err != nil || len(stable) == 0 {
		return "", fast.Tier, err
	}
	id := stable[0]
	return fmt.Sprintf("%s is %s when %s:%d is changed (%s), in a fresh process %s", id, fast.Results.Get(id), m.Path, m.Line, m.Variant,
		truth.Results.Get(id)), fast.Tier, nil
}
