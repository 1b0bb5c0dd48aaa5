package testrun

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// Workspace is everything needed to judge trees of one snapshot: its
// environment, its baseline, a runner with a verdict cache, the linters and
// the smoke run. It is made by Prepare and is safe for concurrent use. One that
// is no longer needed should be closed.
type Workspace struct {
	Snapshot *source.Snapshot
	Env      *source.Environment
	Box      sandbox.Sandbox
	Base     *Baseline

	mode      mode
	deadlines Deadlines
	syntax    syntaxCache
	warm      *warm // nil where every run is in a fresh process
	audits    auditor
	lint      linters
	cache     *verdictCache
	facts     *factCache // lint, types and smoke runs by tree

	untraced func() []string // red tests of the base that every change may affect

	findings        sync.Mutex
	measureFindings func(context.Context) error // nil when Base has its findings and lint is ready

	mu    sync.Mutex
	stats Stats
}

// Close ends the processes that are kept warm and closes the verdict cache. It
// may be called more than once; runs go on afterwards, in fresh processes and
// with a cache in memory. A process that ends without it loses nothing.
func (w *Workspace) Close() error {
	if w.warm != nil {
		w.warm.close()
	}
	if w.lint.warm != nil {
		w.lint.warm.close()
	}
	return w.cache.close()
}

// haveFindings sees that the linters are there and the base has its findings.
// Everyone who reads these calls it first.
func (w *Workspace) haveFindings(ctx context.Context) error {
	w.findings.Lock()
	defer w.findings.Unlock()
	if w.measureFindings == nil {
		return nil
	}
	if err := w.measureFindings(ctx); err != nil {
		return err
	}
	w.measureFindings = nil
	return nil
}

// Covering returns the tests that run a line of the file in [firstLine,
// lastLine], and those that start processes of their own (what these run is
// not known), fastest first. When the lines ran at import every test may
// depend on them: see Imported.
func (w *Workspace) Covering(path string, firstLine, lastLine int) []string {
	ids := w.covering(path, firstLine, lastLine)
	sort.Strings(ids)
	sort.SliceStable(ids, func(i, j int) bool { return w.Base.Seconds[ids[i]] < w.Base.Seconds[ids[j]] })
	return ids
}

// Covers returns how many tests Covering lists.
func (w *Workspace) Covers(path string, firstLine, lastLine int) int {
	return len(w.covering(path, firstLine, lastLine))
}

// covering is Covering in no order.
func (w *Workspace) covering(path string, firstLine, lastLine int) []string {
	if w.Base.Cover == nil {
		return nil
	}
	ids := w.Base.Cover.Covering(path, firstLine, lastLine)
	for _, id := range w.Base.Spawns {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return slices.DeleteFunc(ids, func(id string) bool { _, ok := w.Base.Results[id]; return !ok })
}

// Imported reports whether a line of the file in [firstLine, lastLine] ran at
// import or collection.
func (w *Workspace) Imported(path string, firstLine, lastLine int) bool {
	return w.Base.Cover != nil && w.Base.Cover.Imported(path, firstLine, lastLine)
}

// LinesOf returns what one test runs on the base; "" stands for what ran at import.
func (w *Workspace) LinesOf(test string) Lines {
	if w.Base.Cover == nil {
		return nil
	}
	return w.Base.Cover.LinesOf(test)
}

// Run implements Runner. Requests for the same verdicts at the same time are
// run once.
func (w *Workspace) Run(ctx context.Context, req Request) (Report, error) {
	began := time.Now()
	defer w.spent("tests", began)
	t, err := withFiles(req.Tree, req.Files)
	if err != nil {
		return Report{}, err
	}
	wanted := req.Tests
	if wanted == nil && !req.FilesOnly {
		wanted = sortedKeys(w.Base.Results)
	}
	rep := Report{Results: outcome.Results{}, Failures: map[string]Failure{}, Seconds: map[string]float64{},
		Uncollected: map[string]Failure{}, Loaded: true, Complete: true}
	if req.Tier == 0 || w.warm == nil {
		req.Tier = FreshProcess
	}
	req.Direct = req.Direct && req.Tier < FreshProcess
	req.Fresh = req.Fresh || req.Direct && req.Brief
	all := wanted
	var c *change
	if req.Tier < FreshProcess || req.Decide {
		if c, err = w.changeOf(req.Tree); err != nil {
			return Report{}, err
		}
	}
	if req.Tier < FreshProcess {
		wanted = w.assume(c, req.HashSeed, wanted, &rep)
	}
	q := w.newQuestion(req, wanted)
	if !req.Fresh {
		unlock, err := w.cache.lock(ctx, q.flight())
		if err != nil {
			return Report{}, err
		}
		defer unlock()
		q.answerFromCache(w.cache, &rep)
	}
	if len(q.tests) == 0 && len(q.whole) == 0 || req.Decide && w.goesRed(rep.Results) {
		w.finish(&rep, q)
		return w.believe(ctx, req, all, rep)
	}
	s := series{box: w.Box, env: w.Env, tree: t, mode: w.mode, seed: req.HashSeed, tests: q.tests, whole: q.whole,
		deadline: req.Deadline, loading: w.loading(), giveUp: req.GiveUp, budget: w.budget(q.tests, q.whole), decide: req.Decide, reverse: req.Reverse}
	if s.deadline == nil {
		s.deadline, s.tight = w.deadlineOf(req.Hung), w.tight
	}
	s.tests = make([]string, 0, len(q.tests))
	for _, id := range q.tests {
		f := fileOf(id)
		switch {
		case t.Has(f):
			s.tests = append(s.tests, id)
		case !w.Snapshot.Tree.Has(f):
			s.tests, s.anyRoot = append(s.tests, id), true
		}
	}
	if req.Decide {
		s.tests = w.likeliestFirst(c, s.tests)
	} else {
		w.order(s.tests)
	}
	if s.anyRoot && len(s.whole) > 0 {
		return Report{}, fmt.Errorf("run %d files of ours together with tests that have no file of their own: ask for them apart", len(s.whole))
	}
	if len(s.tests) > 0 || len(s.whole) > 0 {
		got, tier, err := w.runIn(ctx, req, s, c)
		if err != nil {
			return Report{}, err
		}
		rep.Tier = tier
		q.take(got, &rep)
		if !req.Fresh {
			q.remember(w.cache, rep.Tier, got, w.flaky())
		}
		w.mu.Lock()
		w.stats.Processes += got.processes
		w.stats.Peak = max(w.stats.Peak, got.peak)
		w.mu.Unlock()
	}
	w.finish(&rep, q)
	rep.Wall = time.Since(began)
	return w.believe(ctx, req, all, rep)
}

// believe lets an audit have its say.
func (w *Workspace) believe(ctx context.Context, req Request, wanted []string, rep Report) (Report, error) {
	if req.Tier == FreshProcess {
		return rep, nil
	}
	return w.audit(ctx, req, wanted, rep)
}

// goesRed reports whether some test is red that was not on the base.
func (w *Workspace) goesRed(r outcome.Results) bool {
	for id, v := range r {
		if v.Red() && !w.Base.Results.Get(id).Red() {
			return true
		}
	}
	return false
}

// finish derives what the report says as a whole.
func (w *Workspace) finish(rep *Report, q *question) {
	for _, id := range q.asked {
		if _, ok := rep.Results[id]; !ok {
			rep.Results[id] = outcome.Absent
		}
	}
	ours := 0
	for _, f := range sortedKeys(rep.Uncollected) {
		if _, mine := q.files[f]; mine {
			ours++
			continue
		}
		if _, known := w.Base.Broken[f]; known {
			continue
		}
		rep.Loaded = false
		if rep.LoadError == "" {
			rep.LoadError = f + ": " + rep.Uncollected[f].Kind + ": " + rep.Uncollected[f].Message
		}
	}
	if q.only && ours > 0 && ours == len(q.files) {
		rep.Loaded = false
		if rep.LoadError == "" {
			f := sortedKeys(rep.Uncollected)[0]
			rep.LoadError = f + ": " + rep.Uncollected[f].Kind + ": " + rep.Uncollected[f].Message
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.Run += rep.Ran
	w.stats.Cached += rep.Cached
	w.stats.Assumed += rep.Assumed
	if rep.Ran > 0 {
		if w.stats.Tiers == nil {
			w.stats.Tiers = map[string]int{}
		}
		w.stats.Tiers[rep.Tier.String()] += rep.Ran
	}
}

// order sorts ids as the baseline's own run had them, so that a run of some
// tests keeps the suite's order.
func (w *Workspace) order(ids []string) {
	at := w.Base.place()
	sort.SliceStable(ids, func(i, j int) bool {
		a, oka := at[ids[i]]
		b, okb := at[ids[j]]
		if oka && okb {
			return a < b
		}
		if oka != okb {
			return oka
		}
		return ids[i] < ids[j]
	})
}

func (w *Workspace) flaky() map[string]bool {
	m := map[string]bool{}
	for _, f := range w.Base.Flaky {
		m[f.Test] = true
	}
	return m
}

// withFiles adds test files of ours to a tree. One that the tree has is an error.
func withFiles(t *tree.Tree, files map[string]string) (*tree.Tree, error) {
	if len(files) == 0 {
		return t, nil
	}
	add := map[string]*tree.File{}
	for p, text := range files {
		if t.Has(p) {
			return nil, fmt.Errorf("add a test file at %s: the tree has one there; choose another name", p)
		}
		add[p] = tree.Text(text)
	}
	return t.With(add)
}
