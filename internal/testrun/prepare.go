package testrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// Config says what to prepare.
type Config struct {
	Box      sandbox.Sandbox
	Snapshot *source.Snapshot
	Options  source.Options
	Cache    string // breakfix's cache folder; "" means Options.Cache, then the user's
	Log      string // folder for logs; "" means the cache's
	// Deadline is the wall time of each test while the baseline is measured;
	// 0 means DefaultBaselineDeadline.
	Deadline time.Duration
	// Deadlines of tests on changed trees; the zero value means the defaults.
	Deadlines Deadlines
	// NoCache neither reads nor keeps on disk verdicts and findings of trees.
	NoCache bool
	// LazyFindings leaves pylint, mypy and the smoke run of the base to the first
	// call of Lint, Types or Smoke: for callers who may never ask. Until then the
	// baseline has no findings.
	LazyFindings bool
	// Uncalibrated leaves out holding the fast tiers against fresh processes
	// before they are used: for whoever does that himself.
	Uncalibrated bool
	// Red takes a suite of which any part is red, all of it too: for whoever
	// repairs the tree. Without it one under half green is a *source.TargetError.
	Red bool
	// Progress, when set, is told what goes on: a stage ("environment",
	// "collect", "baseline", "lint", "smoke") and a sentence for a person.
	Progress func(stage, detail string)
}

// missingPasses bounds how often collection is tried again after installing
// what it reported missing (one package in 57 needed five).
const missingPasses = 6

// stateVersion changes when a stored workspace means something else.
const stateVersion = 8

// state is what Prepare found out, as it is kept between starts.
type state struct {
	Version  int               `json:"version"`
	More     []string          `json:"more"` // requirements that collection reported missing
	Env      tree.Digest       `json:"env"`
	Mode     mode              `json:"mode"`
	Baseline *Baseline         `json:"baseline"`
	Unfit    map[string]string `json:"unfit,omitempty"`    // tiers that this target is not judged in, and why
	Unlinted bool              `json:"unlinted,omitempty"` // the baseline has no findings yet
	Unheld   bool              `json:"unheld,omitempty"`   // the fast tiers were not held against fresh processes
	Red      bool              `json:"red,omitempty"`      // kept for a repair: the suite may be under half green
}

// preparer carries one Prepare.
type preparer struct {
	Config
	cache   string
	logPath string
	log     io.Writer
	recipe  source.Recipe
	env     *source.Environment
	tried   map[string]bool // requirements and modules that were looked for already
}

func (p *preparer) say(stage, format string, args ...any) {
	detail := fmt.Sprintf(format, args...)
	fmt.Fprintf(p.log, "%s: %s\n", stage, detail)
	if p.Progress != nil {
		p.Progress(stage, detail)
	}
}

// Prepare makes the environment of a snapshot, installs what collecting its
// tests reports missing, and measures the baseline; what an earlier start has
// found out about the same snapshot, recipe and options is reused. A target
// that cannot be played is a *source.TargetError.
func Prepare(ctx context.Context, c Config) (*Workspace, error) {
	if c.Cache == "" {
		c.Cache = c.Options.Cache
	}
	cache, err := source.CacheDir(c.Cache)
	if err != nil {
		return nil, err
	}
	c.Options.Cache = cache
	if c.Deadline <= 0 {
		c.Deadline = DefaultBaselineDeadline
	}
	if c.Log == "" {
		c.Log = filepath.Join(cache, "logs")
	}
	if err := os.MkdirAll(c.Log, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of logs: %w", err)
	}
	p := &preparer{Config: c, cache: cache, logPath: filepath.Join(c.Log, fmt.Sprintf("baseline-%s-%s.log", c.Snapshot.Name, c.Snapshot.Digest.Short())),
		tried: map[string]bool{}}
	f, err := os.Create(p.logPath)
	if err != nil {
		return nil, fmt.Errorf("make the log of the baseline: %w", err)
	}
	p.log = f
	defer func() {
		p.log = io.Discard // of what is measured later
		f.Close()
	}()
	return p.prepare(ctx)
}

func (p *preparer) prepare(ctx context.Context) (*Workspace, error) {
	r, err := source.Detect(ctx, p.Snapshot, p.Options)
	if err != nil {
		return nil, err
	}
	for _, n := range r.Notes {
		p.say("environment", "%s", n)
	}
	p.recipe = r
	key, err := p.key(r)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(p.cache, "baselines", string(key)[:32])
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of the baseline: %w", err)
	}
	stored := filepath.Join(dir, "state.gz")
	var st state
	known := readGzipJSON(stored, &st) && st.Version == stateVersion && st.Baseline != nil && st.Baseline.Cover != nil && (p.Red || !st.Red)
	if known {
		p.recipe.Requirements = with(r.Requirements, st.More)
	}
	if err := p.build(ctx); err != nil {
		return nil, err
	}
	if !known || st.Env != p.env.Digest {
		known = false
		st, err = p.measure(ctx, r)
		if err != nil {
			return nil, err
		}
	} else {
		p.say("baseline", "reused")
	}
	w := &Workspace{Snapshot: p.Snapshot, Env: p.env, Box: p.Box, Base: st.Baseline, mode: st.Mode, deadlines: p.Deadlines.orDefault()}
	w.mode.Vars = p.vars()
	w.untraced = sync.OnceValue(w.untracedTests)
	w.heat()
	verdicts, facts := filepath.Join(dir, "verdicts-"+string(p.env.Digest.Short())+w.deadlines.suffix()), filepath.Join(dir, "facts")
	if p.NoCache {
		verdicts, facts = "", ""
	}
	if w.facts, err = newFactCache(facts); err != nil {
		return nil, fmt.Errorf("make the folder of cached findings: %w", err)
	}
	w.cache = newVerdictCache(verdicts)
	held := known && !st.Unheld
	if err := p.tiers(ctx, w, &st, held); err != nil {
		w.Close()
		return nil, err
	}
	if !known || !held && !p.Uncalibrated {
		st.Unlinted = st.Unlinted || !known
		st.Unheld = !held && p.Uncalibrated
		if err := writeGzipJSON(stored, st); err != nil {
			w.Close()
			return nil, fmt.Errorf("keep the baseline in %s: %w", dir, err)
		}
	}
	w.measureFindings = func(ctx context.Context) error { return p.findings(ctx, w, st, stored) }
	if !p.LazyFindings {
		if err := w.haveFindings(ctx); err != nil {
			w.Close()
			return nil, err
		}
	}
	p.report(w.Base)
	return w, nil
}

// tiers finds out, once, which fast tiers the target can be judged in, and says
// which it cannot.
func (p *preparer) tiers(ctx context.Context, w *Workspace, st *state, known bool) error {
	if w.warm == nil {
		return nil
	}
	if !known && !p.Uncalibrated {
		p.say("tiers", "the fast tiers are held against fresh processes")
		var err error
		if st.Unfit, err = w.calibrate(ctx); err != nil {
			return err
		}
	}
	for _, tier := range []Tier{CodeSwap, LazyImport} {
		if why, bad := st.Unfit[tier.String()]; bad {
			w.warm.giveUp(tier, why)
			p.say("tiers", "%s is not used for this target: %s", strings.ReplaceAll(tier.String(), "_", " "), firstLine(why))
		}
	}
	return nil
}

// key names everything that the baseline follows from, but for the
// environment's lock, which is compared apart.
func (p *preparer) key(r source.Recipe) (tree.Digest, error) {
	b, err := json.Marshal(struct {
		Tree     tree.Digest
		Recipe   source.Recipe
		Tests    []string
		Vars     []string
		Deadline time.Duration
		Reporter string
		Version  int
	}{p.Snapshot.Tree.Digest(), r, p.Options.Tests, p.vars(), p.Deadline, reporterVersion, stateVersion})
	if err != nil {
		return "", fmt.Errorf("name the baseline: %w", err)
	}
	return tree.DigestOf(b), nil
}

// vars are the variables of the host that tests may see.
func (p *preparer) vars() []string {
	var vars []string
	for _, n := range p.Options.Env {
		if v, ok := os.LookupEnv(n); ok {
			vars = append(vars, n+"="+v)
		}
	}
	sort.Strings(vars)
	return vars
}

func (p *preparer) build(ctx context.Context) error {
	p.say("environment", "Python %s", p.recipe.Version)
	env, err := source.Build(ctx, p.Box, p.Snapshot, p.recipe, p.Options, p.log)
	if err != nil {
		return err
	}
	p.env = env
	for _, d := range env.Dropped {
		p.say("environment", "left out: %s", d)
	}
	return nil
}

// with returns the union of two lists of requirements, in order.
func with(a, b []string) []string {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// measure finds out how the suite is run and measures it.
func (p *preparer) measure(ctx context.Context, detected source.Recipe) (state, error) {
	coverage, err := source.CoverageDir(ctx, p.Box, p.recipe, p.Options, p.log)
	if err != nil {
		return state{}, err
	}
	var b *Baseline
	var md mode
	var runs []*tally
	for {
		if md, err = p.mode(ctx); err != nil {
			return state{}, err
		}
		if md, err = p.collect(ctx, md); err != nil {
			return state{}, err
		}
		p.say("baseline", "%d whole runs, and one with coverage", baselineRuns)
		m := measurement{box: p.Box, env: p.env, tree: p.Snapshot.Tree, mode: md, coverage: coverage, deadline: p.Deadline}
		var more []string
		m.look = func(r *tally) bool {
			more = p.lacking(r)
			return len(more) == 0
		}
		b, md, runs, err = m.run(ctx)
		for _, r := range runs {
			fmt.Fprintf(p.log, "--- one run: %d verdicts, complete %v, %s\n%s\n", len(r.results), r.complete, r.loadError, r.output)
		}
		if err != nil {
			return state{}, err
		}
		if len(more) == 0 {
			break
		}
		if err := p.install(ctx, more); err != nil {
			return state{}, err
		}
	}
	if err := p.judge(b, runs); err != nil {
		return state{}, err
	}
	var more []string
	for _, q := range p.recipe.Requirements {
		if !slices.Contains(detected.Requirements, q) {
			more = append(more, q)
		}
	}
	md.Vars = nil // values of the host's variables stay out of the cache
	return state{Version: stateVersion, More: more, Env: p.env.Digest, Mode: md, Baseline: b, Red: p.Red}, nil
}

// judge refuses a suite that nothing can be measured with.
func (p *preparer) judge(b *Baseline, runs []*tally) error {
	first := runs[0]
	if first.loadError != "" {
		return &source.TargetError{Reason: "its tests do not load", First: firstLine(first.loadError), Log: p.logPath, Next: "repair what the error names"}
	}
	passed, counted := 0, len(b.Flaky)
	var red []string
	for id, v := range b.Results {
		switch {
		case v == outcome.Passed:
			passed++
			counted++
		case v != outcome.Skipped:
			counted++
			red = append(red, id)
		}
	}
	sort.Strings(red)
	if len(red) > 0 && p.Red {
		return nil
	}
	if passed == 0 || 2*passed < counted {
		e := &source.TargetError{Reason: fmt.Sprintf("only %d of %d tests pass on the base, fewer than half", passed, counted), Log: p.logPath,
			Next: "repair the suite first, or choose tests that pass with --tests"}
		if counted == 0 {
			e.Reason = fmt.Sprintf("none of its %d tests runs: all are skipped", len(b.Results))
		}
		if len(red) > 0 {
			names := red[:min(len(red), 3)]
			e.First = "red are " + strings.Join(names, ", ")
			if len(red) > 3 {
				e.First += fmt.Sprintf(" and %d more", len(red)-3)
			}
			e.First += ": " + firstLine(first.failures[red[0]].Kind+": "+first.failures[red[0]].Message)
		}
		return e
	}
	return nil
}

// findings makes the linters of w and, unless a start before this one has done
// so, runs them and the smoke run on the base, and keeps what they say in stored.
func (p *preparer) findings(ctx context.Context, w *Workspace, st state, stored string) error {
	toolDir, err := source.Tools(ctx, p.Box, p.recipe, p.Options, p.log)
	if err != nil {
		return err
	}
	code := codeFiles(p.Snapshot.Tree)
	w.lint = linters{box: p.Box, env: p.env, dir: toolDir, path: moduleRoots(p.Snapshot.Tree, code)}
	if !st.Unlinted {
		w.lint.warm = newGates(w)
		return nil
	}
	began := time.Now()
	p.say("lint", "pylint and mypy on %d files", len(code))
	type answer struct {
		f   Findings
		err error
	}
	types := make(chan answer, 1)
	go func() {
		f, err := w.lint.mypy(ctx, p.Snapshot.Tree, code)
		types <- answer{f, err}
	}()
	w.Base.Lint, err = w.lint.pylint(ctx, p.Snapshot.Tree, code)
	t := <-types
	w.Base.Types = t.f
	if err = errors.Join(err, t.err); err != nil {
		return err
	}
	w.spent("lint", began)
	began = time.Now()
	p.say("smoke", "importing every module")
	failed, err := smoker{box: p.Box, env: p.env, mode: w.mode}.run(ctx, p.Snapshot.Tree, smokeSteps(p.Snapshot.Tree, p.env), false)
	if err != nil {
		return err
	}
	w.Base.RunLeft = nil // a measurement that was cut off may have left some
	for _, f := range failed {
		w.Base.RunLeft = append(w.Base.RunLeft, f.step.label())
		p.say("smoke", "left out: %s %s", f.step.label(), f.why)
	}
	w.spent("smoke", began)
	st.Baseline, st.Unlinted = w.Base, false
	if err := writeGzipJSON(stored, st); err != nil {
		return fmt.Errorf("keep the findings of the base in %s: %w", stored, err)
	}
	w.lint.warm = newGates(w)
	return nil
}

// report says what a person wants to know of the baseline.
func (p *preparer) report(b *Baseline) {
	counts := map[string]int{}
	for _, v := range b.Results {
		counts[string(v)]++
	}
	var parts []string
	for _, v := range sortedKeys(counts) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[v], strings.ReplaceAll(v, "_", " ")))
	}
	if n := len(b.Ordered); n > 0 {
		p.say("baseline", "%d of %d tests depend on tests before them (%s): all runs are in fresh processes", n, len(b.Results), b.Ordered[0])
	}
	p.say("baseline", "%d tests: %s; one run takes %.1f s", len(b.Results), strings.Join(parts, ", "), b.Wall)
}

// firstLine returns the first line of a text, bounded.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return clip(s, 300)
}
