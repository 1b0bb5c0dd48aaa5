package testrun

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

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

// firstLine returns the first line of a text, bounded.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return clip(s, 300)
}
