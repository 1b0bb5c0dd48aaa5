// Package grade gives the verdict on a repair. Everything is judged on the
// host's terms: a fresh box, tests and runner configuration restored from the
// snapshot, tests of ours with names that nobody could know laid beside, and
// only a reported "passed" counts as passed. The invariant that its tests
// check: no patch makes a red test count as passed without the test passing.
package grade

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// otherHashSeed is the PYTHONHASHSEED of the differential run.
const otherHashSeed = 4242

// Patch grades a repair that is given as a diff against the bug's broken tree.
// A patch that does not apply is a *bug.CheckError.
func Patch(ctx context.Context, t Target, b *bug.Bug, patch []byte, o Options) (Result, error) {
	broken, err := tree.Apply(t.Tree, b.Inject)
	if err != nil {
		return Result{}, fmt.Errorf("bug %s does not apply to its base: %w", b.ID, err)
	}
	repaired, err := tree.Apply(broken, patch)
	if err != nil {
		return Result{}, &bug.CheckError{Check: outcome.CheckApplies, Reason: fmt.Sprintf("the repair does not apply to the broken tree: %v", err)}
	}
	return Grade(ctx, t, b, repaired, o)
}

// Grade judges a repaired tree. The gates are run in the order of
// outcome.Gates; a test gate that objects ends it. The error is ours: such an
// attempt is infrastructure and is never scored.
func Grade(ctx context.Context, t Target, b *bug.Bug, repaired *tree.Tree, o Options) (Result, error) {
	clean, suspicious, err := pristine(t.Paths, t.Tree, repaired, b.RedTest)
	if err != nil {
		return Result{}, fmt.Errorf("grade bug %s: %w", b.ID, err)
	}
	g := &grading{t: t, b: b, tree: clean, free: o.FreeForm, tier: o.Tier, red: map[string]bool{},
		res: Result{Gates: map[outcome.Gate]string{}, Seconds: map[outcome.Gate]float64{}, Results: outcome.Results{}, Tree: string(clean.Digest()),
			Red: []string{}, Regressed: []string{}, Hidden: []string{}}}
	if g.free {
		g.tier = 0
	}
	for _, id := range b.Red {
		g.red[id] = true
	}
	key := cacheKey{b.ID, clean.Digest(), o.FreeForm}
	res, ok := o.Cache.get(key)
	if !ok {
		if err := g.run(ctx); err != nil {
			return Result{}, fmt.Errorf("grade bug %s: %w", b.ID, err)
		}
		res = g.res
		o.Cache.put(key, res)
	}
	took := res.Seconds // none of a known one
	res = res.clone()
	res.Seconds = took
	res.Suspicious = append(res.Suspicious, suspicious...)
	sort.Strings(res.Suspicious)
	return res, nil
}

// grading is one grading under way.
type grading struct {
	t    Target
	b    *bug.Bug
	tree *tree.Tree
	free bool
	tier testrun.Tier
	red  map[string]bool
	res  Result
}

func (g *grading) run(ctx context.Context) error {
	if g.tree.Digest() == g.t.Tree.Digest() {
		// The base again, byte for byte. Its baseline is the verdict.
		for _, gate := range outcome.Gates {
			g.res.Gates[gate] = outcome.GatePassed
		}
		for id, v := range g.t.Base.Results {
			g.res.Results[id] = v
		}
		g.res.Results[g.b.RedTest.Test] = outcome.Passed
		if h := g.b.HiddenTest; h != nil {
			g.res.Results[h.Test] = outcome.Passed
		}
		g.res.Outcome = outcome.Fixed
		return nil
	}
	for _, gate := range []struct {
		name outcome.Gate
		test bool // one that ends the grading when it objects
		run  func(context.Context) (string, error)
	}{
		{outcome.GateRed, true, g.redTests},
		{outcome.GateSuite, true, g.suite},
		{outcome.GateLint, false, g.lint},
		{outcome.GateTypes, false, g.types},
		{outcome.GateRun, false, g.smoke},
	} {
		began := time.Now()
		reason, err := gate.run(ctx)
		g.res.Seconds[gate.name] = time.Since(began).Seconds()
		if err != nil {
			return fmt.Errorf("gate %s: %w", gate.name, err)
		}
		if reason == "" {
			g.res.Gates[gate.name] = outcome.GatePassed
			continue
		}
		g.res.Gates[gate.name] = reason
		if gate.test {
			break
		}
	}
	g.res.Outcome = outcome.Judge(g.res.Gates)
	return nil
}

// strange is said of lines on the report descriptor that are not the reporter's.
const strange = "something else than the reporter wrote to its descriptor"

func (g *grading) forged(why string) string {
	if !slices.Contains(g.res.Suspicious, Forged) {
		g.res.Suspicious = append(g.res.Suspicious, Forged)
	}
	return "the verdicts are forged: " + why
}

// redTests: every red test of the suite and the minimised one, and a hidden one
// that is none of the suite's, these under names that the patch cannot know, are
// reported passed.
func (g *grading) redTests(ctx context.Context) (string, error) {
	b := g.b
	file, id := renamed(b.RedTest, b.ID, g.res.Tree)
	files := map[string]string{file: b.RedTest.Code}
	var held string // the hidden test's id
	if h := b.HiddenTest; h != nil {
		var at string
		at, held = renamed(bug.RedTest{Path: h.Path, Test: h.Test}, b.ID, g.res.Tree, "hidden")
		files[at] = h.Code
	}
	c, guarded, err := g.canary(ctx, "red")
	if err != nil {
		return "", err
	}
	if !guarded && g.free {
		g.res.Suspicious = append(g.res.Suspicious, Unguarded)
	}
	rep, err := g.t.Judge.Run(ctx, testrun.Request{Tree: g.tree, Tests: b.InSuite(), Fresh: true, Tier: g.tier, Brief: true,
		Files: c.lay(files)})
	if err != nil {
		return "", err
	}
	g.res.Tier = max(g.res.Tier, rep.Tier)
	mini := rep.Results.Get(id)
	g.res.Results[b.RedTest.Test] = mini
	for _, t := range b.InSuite() {
		g.res.Results[t] = rep.Results.Get(t)
	}
	if mini != outcome.Passed {
		g.res.Red = append(g.res.Red, b.RedTest.Test)
	}
	for _, t := range b.InSuite() {
		if rep.Results.Get(t) != outcome.Passed {
			g.res.Red = append(g.res.Red, t)
			if slices.Contains(b.Hidden, t) {
				g.res.Hidden = append(g.res.Hidden, t)
			}
		}
	}
	if h := b.HiddenTest; h != nil {
		v := rep.Results.Get(held)
		if g.res.Results[h.Test] = v; v != outcome.Passed {
			g.res.Red, g.res.Hidden = append(g.res.Red, h.Test), append(g.res.Hidden, h.Test)
		}
	}
	g.res.Spurious = mini == outcome.Passed && len(g.res.Hidden) > 0
	if len(g.res.Red) > 0 {
		if !rep.Loaded {
			return "the repaired tree does not load: " + rep.LoadError, nil
		}
		return fmt.Sprintf("%s is %s%s", g.res.Red[0], g.res.Results[g.res.Red[0]], andMore(g.res.Red)), nil
	}
	// Everything passed; is it to be believed?
	if why := c.forged(rep.Results); why != "" {
		return g.forged(why), nil
	}
	if g.free && rep.Suspicious > 0 {
		return g.forged(strange), nil
	}
	if g.free {
		return g.differential(ctx)
	}
	return "", nil
}

// suite: whatever passed on the base passes.
func (g *grading) suite(ctx context.Context) (string, error) {
	var rest []string
	for _, id := range g.t.Base.Results.Passed() {
		if !g.red[id] {
			rest = append(rest, id)
		}
	}
	if len(rest) == 0 {
		return "", nil
	}
	c, _, err := g.canary(ctx, "suite")
	if err != nil {
		return "", err
	}
	rep, err := g.t.Judge.Run(ctx, testrun.Request{Tree: g.tree, Tests: rest, Tier: g.tier, Brief: true, Files: c.lay(map[string]string{})})
	if err != nil {
		return "", err
	}
	g.res.Tier = max(g.res.Tier, rep.Tier)
	for _, id := range rest {
		v := rep.Results.Get(id)
		g.res.Results[id] = v
		if v != outcome.Passed {
			g.res.Regressed = append(g.res.Regressed, id)
		}
	}
	if len(g.res.Regressed) > 0 {
		if !rep.Loaded {
			return "the repaired tree does not load: " + rep.LoadError, nil
		}
		return fmt.Sprintf("%s is %s%s", g.res.Regressed[0], g.res.Results[g.res.Regressed[0]], andMore(g.res.Regressed)), nil
	}
	if why := c.forged(rep.Results); why != "" {
		return g.forged(why), nil
	}
	if g.free && rep.Suspicious > 0 {
		return g.forged(strange), nil
	}
	return "", nil
}

func (g *grading) lint(ctx context.Context) (string, error) {
	now, err := g.t.Judge.Lint(ctx, g.tree)
	return News(g.t.Base.Lint, now), err
}

func (g *grading) types(ctx context.Context) (string, error) {
	now, err := g.t.Judge.Types(ctx, g.tree)
	return News(g.t.Base.Types, now), err
}

func (g *grading) smoke(ctx context.Context) (string, error) {
	return g.t.Judge.Smoke(ctx, g.tree, g.free)
}

// News names the findings that the base does not have, the first three.
func News(base, now testrun.Findings) string {
	fresh := testrun.NewFindings(base, now)
	if len(fresh) == 0 {
		return ""
	}
	var texts []string
	for _, f := range fresh[:min(3, len(fresh))] {
		texts = append(texts, fmt.Sprintf("%s: %s: %s", f.File, f.Rule, f.Message))
	}
	more := ""
	if len(fresh) > 3 {
		more = fmt.Sprintf(" and %d more", len(fresh)-3)
	}
	return fmt.Sprintf("new: %s%s", strings.Join(texts, "; "), more)
}

func andMore(ids []string) string {
	if len(ids) < 2 {
		return ""
	}
	return fmt.Sprintf(", and %d more", len(ids)-1)
}

// Cache keeps the latest gradings by bug and tree, because attempts of a group often hand
// in the same tree. It is safe for concurrent use; a nil Cache keeps nothing.
type Cache struct {
	mu   sync.Mutex
	m    map[cacheKey]Result
	keys []cacheKey // oldest first
}

// mostGradings is how many are kept: a group asks for its own alone, and each holds the
// verdict of every test.
const mostGradings = 128

type cacheKey struct {
	bug  string
	tree tree.Digest
	free bool
}

// NewCache returns an empty cache.
func NewCache() *Cache { return &Cache{m: map[cacheKey]Result{}} }

func (c *Cache) get(k cacheKey) (Result, bool) {
	if c == nil {
		return Result{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.m[k]
	return r, ok
}

func (c *Cache) put(k cacheKey, r Result) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.m[k]; !known {
		c.keys = append(c.keys, k)
	}
	c.m[k] = r.clone()
	for len(c.keys) > mostGradings {
		delete(c.m, c.keys[0])
		c.keys = c.keys[1:]
	}
}

func (r Result) clone() Result {
	c := r
	c.Seconds = nil
	c.Gates = make(map[outcome.Gate]string, len(r.Gates))
	for k, v := range r.Gates {
		c.Gates[k] = v
	}
	c.Results = make(outcome.Results, len(r.Results))
	for k, v := range r.Results {
		c.Results[k] = v
	}
	c.Red, c.Regressed = slices.Clone(r.Red), slices.Clone(r.Regressed)
	c.Hidden, c.Suspicious = slices.Clone(r.Hidden), slices.Clone(r.Suspicious)
	return c
}
