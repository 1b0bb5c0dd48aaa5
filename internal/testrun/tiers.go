package testrun

import (
	"context"
	"errors"
	"slices"

	"breakfix/internal/sandbox"
	"breakfix/internal/testrun/zygote"
	"breakfix/internal/tree"
)

// assume gives to the tests that a change cannot affect the verdicts of the
// base, and returns the others. Under another hash seed the base may do
// otherwise: nothing is assumed then.
func (w *Workspace) assume(c *change, seed int, wanted []string, rep *Report) []string {
	if seed != 0 {
		return wanted
	}
	may := w.affected(c)
	run := make([]string, 0, len(may))
	for _, id := range wanted {
		v, known := w.Base.Results[id]
		if !known || may[id] {
			run = append(run, id)
			continue
		}
		rep.Results[id] = v
		rep.Seconds[id] = w.Base.Seconds[id]
		rep.Assumed++
	}
	return run
}

// runIn runs a series in the fastest tier that may and can.
func (w *Workspace) runIn(ctx context.Context, req Request, s series, c *change) (*tally, Tier, error) {
	for tier := req.Tier; tier < FreshProcess; tier++ {
		if tier == CodeSwap && (c.swap == nil || s.anyRoot) {
			continue
		}
		if why := w.warm.why(tier); why != "" {
			continue
		}
		got, err := w.runWarm(ctx, tier, req, s, c)
		var other *errTier
		if errors.As(err, &other) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		if got.loadError != "" {
			continue // it did not come to its tests: a fresh process says why
		}
		return got, tier, nil
	}
	got, err := s.run(ctx)
	return got, FreshProcess, err
}

// firstFew is how many tests a process that imports the tree anew is asked for
// where one red test decides: it loads the files of all, and finds the tests of
// these alone, which takes a fraction of the time.
const firstFew = 16

// runWarm runs a series in a fast tier.
func (w *Workspace) runWarm(ctx context.Context, tier Tier, req Request, s series, c *change) (*tally, error) {
	s.start = w.starter(tier, req, s, c)
	if tier != LazyImport || !s.decide || s.anyRoot || len(s.whole) > 0 || len(s.tests) < 2*firstFew {
		return s.run(ctx)
	}
	few := s
	few.tests, few.loads = s.tests[:firstFew], filesOf(s.tests)
	got, err := few.run(ctx)
	if err != nil || got.decided || got.gaveUp || got.loadError != "" || len(got.uncollected) > 0 {
		return got, err
	}
	s.tests = slices.DeleteFunc(slices.Clone(s.tests), func(id string) bool { _, has := got.results[id]; return has })
	rest, err := s.run(ctx)
	if err != nil {
		return nil, err
	}
	rest.before(got)
	return rest, nil
}

// starter runs one process of a series as a child of a warm one.
func (w *Workspace) starter(tier Tier, req Request, s series, c *change) func(context.Context, job) (*session, error) {
	files := c.files
	if len(req.Files) > 0 {
		files = make(map[string]*tree.File, len(c.files)+len(req.Files))
		for p, f := range c.files {
			files[p] = f
		}
		for p, text := range req.Files {
			files[p] = tree.Text(text)
		}
	}
	// A process of its own below the namespace's first is needed where signals
	// or orphans matter, which our own test files may inherit.
	own := len(req.Files) > 0
	apart := own && len(w.Base.Spawns)+len(w.Base.Trace.Signals) > 0
	// A network of its own costs more than most tests: for those that need it.
	network := slices.Contains(w.Base.Trace.Sockets, "") || own && len(w.Base.Trace.Sockets) > 0
	for _, id := range s.tests {
		apart = apart || slices.Contains(w.Base.Spawns, id) || slices.Contains(w.Base.Trace.Signals, id)
		network = network || slices.Contains(w.Base.Trace.Sockets, id)
	}
	return func(ctx context.Context, j job) (*session, error) {
		b := body{Tests: j.tests, Files: j.whole, Decide: j.decide, Reverse: j.reverse, Brief: req.Brief || req.Decide, Direct: req.Direct}
		if tier == CodeSwap {
			b.Swap, b.Own = c.swap, slices.Clone(j.whole)
			for _, f := range filesOf(j.tests) {
				if _, ours := req.Files[f]; ours && !req.Direct && !slices.Contains(b.Own, f) {
					b.Own = append(b.Own, f)
				}
			}
		} else {
			b.Paths = j.files
			if j.files == nil {
				b.Paths = w.mode.Roots
			}
			b.Rewrite = w.rewritten(j.files)
			b.Few = j.few
		}
		if b.Tests == nil {
			b.Tests = []string{}
		}
		if b.Paths == nil {
			b.Paths = []string{}
		}
		return w.warm.run(ctx, kind{tier, s.seed}, j, zygote.Request{Body: b, Changes: files, Init: apart, Network: network})
	}
}

// rewritten lists the files of the snapshot whose assertions pytest rewrites
// when it collects the given ones.
func (w *Workspace) rewritten(files []string) []string {
	var out []string
	for _, f := range files {
		if w.Snapshot.Tree.Has(f) {
			out = append(out, f)
		}
		for _, c := range conftests(w.Snapshot.Tree, f) {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// maxCompile is how much code, in bytes, a warm process compiles ahead.
const maxCompile = 4 << 20

// heat makes the warm processes of a workspace possible, where the sandbox can
// keep boxes open.
func (w *Workspace) heat() {
	keeper, ok := w.Box.(sandbox.Keeper)
	if !ok || len(w.Base.Ordered) > 0 {
		return
	}
	w.warm = newWarm(keeper, func(seed int) job {
		return job{tree: w.Snapshot.Tree, env: w.Env, mode: w.mode, seed: seed, loading: w.loading(), deadline: w.Deadline}
	}, func(t Tier) plan {
		if t == CodeSwap {
			return plan{Warm: "collected"}
		}
		var code []string
		var size int64
		for _, p := range codeFiles(w.Snapshot.Tree) {
			if size += w.Snapshot.Tree.Size(p); size > maxCompile {
				break
			}
			code = append(code, p)
		}
		return plan{Warm: "bare", Preload: w.Base.Modules, Compile: code}
	}, w.fit)
}

// fit says why a warm process cannot stand for a fresh one, nil when it can.
func (w *Workspace) fit(t Tier, r ready) error {
	if t == LazyImport {
		if len(r.Tainted) > 0 {
			return errors.New("the target is loaded by the runner itself: " + r.Tainted[0])
		}
		return nil
	}
	has := map[string]bool{}
	for _, id := range r.IDs {
		has[id] = true
	}
	for id := range w.Base.Results {
		if !has[id] {
			return errors.New("it did not collect " + id)
		}
	}
	return nil
}
