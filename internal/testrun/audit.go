package testrun

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"strconv"
	"sync"

	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

// A share of what the fast tiers say of a suite is said again by a fresh
// process that runs the whole suite: the audit. What differs there, twice, is a
// mismatch; the fresh process is believed, and the tier is not used again. Where
// one red test decides, it ends there: in the suite's order, whichever test that is.
const (
	auditShare  = 0.05 // of the trees on which a suite is judged
	decideShare = 0.01 // of those of which only whether some test goes red is asked
	// What a suite of seconds says of thousands of trees is asked less often once
	// so many audits found nothing: each costs more than judging a hundred trees.
	decideEnough, decideLess = 30, 4
)

// auditor remembers what was audited.
type auditor struct {
	mu   sync.Mutex
	seen map[tree.Digest]bool
}

// due reports whether a tree is to be audited, once. Which trees are follows
// from their content, so that a run with the same seed audits the same.
func (a *auditor) due(d tree.Digest, share float64) bool {
	n, err := strconv.ParseUint(string(d[:8]), 16, 32)
	if err != nil || float64(n) >= share*(1<<32) {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen[d] {
		return false
	}
	if a.seen == nil {
		a.seen = map[tree.Digest]bool{}
	}
	a.seen[d] = true
	return true
}

// audit compares a report of a fast tier with the truth, when it is due, and
// returns what is to be believed.
func (w *Workspace) audit(ctx context.Context, req Request, wanted []string, rep Report) (Report, error) {
	share := auditShare
	if req.Decide {
		share = decideShare
		w.count(func(s *Stats) {
			if s.Audited >= decideEnough {
				share /= decideLess
			}
		})
	} else if 2*len(wanted) < len(w.Base.Results) {
		return rep, nil // a part of the suite, which some other run judges whole
	}
	if req.Unaudited || req.FilesOnly || rep.GaveUp || !w.audits.due(req.Tree.Digest(), share) {
		return rep, nil
	}
	truth, err := w.Run(ctx, Request{Tree: req.Tree, Fresh: true, HashSeed: req.HashSeed, Decide: req.Decide})
	if err != nil || truth.GaveUp {
		return rep, err
	}
	w.count(func(s *Stats) { s.Audited++ })
	differ := w.disagree(req, wanted, rep, truth)
	if len(differ) == 0 {
		return rep, nil
	}
	stable, err := w.stable(ctx, req, differ, rep, truth)
	if err != nil {
		return rep, err
	}
	if len(stable) == 0 && rep.Loaded == truth.Loaded {
		return rep, nil // it does not say the same each time in a fresh process either
	}
	w.count(func(s *Stats) { s.Mismatch++ })
	what := "the tree loads in one of them alone"
	if len(stable) > 0 {
		what = fmt.Sprintf("%s is %s, in a fresh process %s", stable[0], rep.Results.Get(stable[0]), truth.Results.Get(stable[0]))
	}
	tier := max(rep.Tier, CodeSwap)
	if tier < FreshProcess {
		w.warm.giveUp(tier, "an audit found another verdict: "+what)
	}
	slog.Warn("a fast tier and a fresh process disagree; the tier is not used any more", "tier", tier, "what", what, "tests", len(stable))
	believed := rep
	believed.Results, believed.Failures = outcome.Results{}, map[string]Failure{}
	for id := range rep.Results {
		if _, ours := req.Files[fileOf(id)]; ours {
			believed.Results[id] = rep.Results[id]
			if f, ok := rep.Failures[id]; ok {
				believed.Failures[id] = f
			}
			continue
		}
		believed.Results[id] = truth.Results.Get(id)
		if f, ok := truth.Failures[id]; ok {
			believed.Failures[id] = f
		}
	}
	for _, id := range stable { // of a decision perhaps a test that was not asked for
		if _, has := believed.Results[id]; !has && req.Decide {
			believed.Results[id], believed.Failures[id] = truth.Results.Get(id), truth.Failures[id]
		}
	}
	believed.Loaded, believed.LoadError, believed.Tier = truth.Loaded, truth.LoadError, FreshProcess
	return believed, nil
}

// repeats is how often what differs is run again, in both: a test that fails
// half of the time is taken for a difference once in 2^repeats.
const repeats = 6

// stable returns the tests that differ between a fast tier and a fresh process
// each time.
func (w *Workspace) stable(ctx context.Context, req Request, differ []string, rep, truth Report) ([]string, error) {
	again := Request{Tree: req.Tree, Tests: slices.Clone(differ), Fresh: true, HashSeed: req.HashSeed}
	for i := 0; i < repeats && len(again.Tests) > 0; i++ {
		for _, said := range []struct {
			tier Tier
			rep  Report
		}{{FreshProcess, truth}, {req.Tier, rep}} {
			again.Tier = said.tier
			now, err := w.Run(ctx, again)
			if err != nil {
				return nil, err
			}
			again.Tests = slices.DeleteFunc(again.Tests, func(id string) bool { return now.Results.Get(id) != said.rep.Results.Get(id) })
		}
	}
	// A test that is the base's by assumption says the same each time, so chance
	// has only the fresh processes to show in. It shows on the base too.
	again.Tree, again.Tier = w.Snapshot.Tree, FreshProcess
	for i := 0; i < repeats && len(again.Tests) > 0; i++ {
		now, err := w.Run(ctx, again)
		if err != nil {
			return nil, err
		}
		again.Tests = slices.DeleteFunc(again.Tests, func(id string) bool {
			was, known := w.Base.Results[id]
			return known && now.Results.Get(id) != was
		})
	}
	return again.Tests, nil
}

// disagree lists the tests on which two reports differ. A timeout and another
// red verdict are the same: which of the two it is, time decides.
func (w *Workspace) disagree(req Request, wanted []string, rep, truth Report) []string {
	var differ []string
	if req.Decide {
		if w.goesRed(rep.Results) == (len(outcome.Red(w.Base.Results, truth.Results)) > 0) {
			return nil
		}
		for id, v := range truth.Results {
			if v.Red() && w.Base.Results.Get(id) == outcome.Passed || rep.Results.Get(id).Red() {
				differ = append(differ, id)
			}
		}
		sort.Strings(differ)
		return differ
	}
	for _, id := range wanted {
		a, b := rep.Results.Get(id), truth.Results.Get(id)
		if _, ours := req.Files[fileOf(id)]; ours || a == b || (a == outcome.TimedOut || b == outcome.TimedOut) && a.Red() && b.Red() {
			continue
		}
		differ = append(differ, id)
	}
	return differ
}

// count lets f read or change the counts.
func (w *Workspace) count(f func(*Stats)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.stats)
}
