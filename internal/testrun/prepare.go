package testrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"breakfix/internal/lang/python"
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
	// Progress, when set, is told what goes on: a stage ("environment",
	// "collect", "baseline", "lint", "smoke") and a sentence for a person.
	Progress func(stage, detail string)
}

// missingPasses bounds how often collection is tried again after installing
// what it reported missing (one package in 57 needed five).
const missingPasses = 6

// stateVersion changes when a stored workspace means something else.
const stateVersion = 1

// state is what Prepare found out, as it is kept between starts.
type state struct {
	Version  int         `json:"version"`
	More     []string    `json:"more"` // requirements that collection reported missing
	Env      tree.Digest `json:"env"`
	Mode     mode        `json:"mode"`
	Baseline *Baseline   `json:"baseline"`
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
	defer f.Close()
	p.log = f
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
	known := readGzipJSON(stored, &st) && st.Version == stateVersion && st.Baseline != nil && st.Baseline.Cover != nil
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
	w := &Workspace{Snapshot: p.Snapshot, Env: p.env, Box: p.Box, Base: st.Baseline, mode: st.Mode}
	w.mode.Vars = p.vars()
	if w.cache, err = newVerdictCache(filepath.Join(dir, "verdicts-"+string(p.env.Digest.Short()))); err != nil {
		return nil, fmt.Errorf("make the folder of the verdict cache: %w", err)
	}
	if w.facts, err = newFactCache(filepath.Join(dir, "facts"), w.cache); err != nil {
		return nil, fmt.Errorf("make the folder of cached findings: %w", err)
	}
	toolDir, err := source.Tools(ctx, p.Box, p.recipe, p.Options, p.log)
	if err != nil {
		return nil, err
	}
	code := codeFiles(p.Snapshot.Tree)
	w.lint = linters{box: p.Box, env: p.env, dir: toolDir, path: moduleRoots(p.Snapshot.Tree, code)}
	if !known {
		if err := p.findings(ctx, w, code); err != nil {
			return nil, err
		}
		st.Baseline = w.Base
		if err := writeGzipJSON(stored, st); err != nil {
			return nil, fmt.Errorf("keep the baseline in %s: %w", dir, err)
		}
	}
	p.report(w.Base)
	return w, nil
}

// key names everything that the baseline follows from, but for the
// environment's lock, which is compared apart.
func (p *preparer) key(r source.Recipe) (tree.Digest, error) {
	b, err := json.Marshal(struct {
		Tree     tree.Digest
		Recipe   source.Recipe
		Tests    []string
		Vars     []string
		Reporter string
		Version  int
	}{p.Snapshot.Tree.Digest(), r, p.Options.Tests, p.vars(), reporterVersion, stateVersion})
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
		m := measurement{box: p.Box, env: p.env, tree: p.Snapshot.Tree, mode: md, coverage: coverage}
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
	return state{Version: stateVersion, More: more, Env: p.env.Digest, Mode: md, Baseline: b}, nil
}

// mode reads how the target wants pytest to be called, and drops what would
// spoil a run.
func (p *preparer) mode(ctx context.Context) (mode, error) {
	file, addopts, err := configuration(ctx, p.Box, p.env, p.Snapshot.Tree, p.logPath)
	if err != nil {
		return mode{}, err
	}
	own := sortOptions(p.Snapshot.Tree, addopts)
	user := sortOptions(p.Snapshot.Tree, p.Options.Tests)
	md := mode{Config: file, Args: append(own.keep, user.keep...), Select: append(own.selecting, user.selecting...), Roots: user.paths,
		Autoload: true, Path: p.recipe.Path, Vars: p.vars()}
	if len(md.Roots) == 0 {
		md.Roots = own.paths
	}
	return md, nil
}

var (
	noModule     = regexp.MustCompile(`No module named '([A-Za-z0-9_.]+)'`)
	unrecognized = regexp.MustCompile(`unrecognized arguments: (.*)`)
	// A plugin that warns while it is configured, where warnings are errors.
	fatalWarning = regexp.MustCompile(`INTERNALERROR> ((?:pytest\.)?[A-Z]\w*Warning):`)
	needPlugins  = regexp.MustCompile(`Missing required plugins: (.*)`)
)

// collect collects the suite until nothing new is missing.
func (p *preparer) collect(ctx context.Context, md mode) (mode, error) {
	byName := false
	for pass := 0; ; pass++ {
		j := job{tree: p.Snapshot.Tree, env: p.env, mode: md, collect: true, loading: baselineDeadline}
		s, err := j.run(ctx, p.Box)
		if err != nil {
			return md, err
		}
		text := tail(s.box.Stderr, 8000) + tail(s.box.Stdout, 8000)
		fmt.Fprintf(p.log, "--- collected %d tests, %d files do not collect\n%s\n", len(s.ids), len(s.uncollected), text)
		more, changed := p.missing(s, text, &md)
		if (len(more) > 0 || changed) && pass < missingPasses {
			if err := p.install(ctx, more); err != nil {
				return md, err
			}
			continue
		}
		if !s.ready {
			return md, &source.TargetError{Reason: "its tests cannot be collected", First: firstLine(loadError(s, baselineDeadline)), Log: p.logPath,
				Next: "see that its tests run with pytest, or say how with --tests"}
		}
		if len(s.ids) == 0 && len(s.uncollected) == 0 && !byName && len(md.Roots) == 0 {
			// Names that pytest does not collect by default.
			byName = true
			if md.Roots = testsByName(p.Snapshot.Tree); len(md.Roots) > 0 {
				p.say("collect", "nothing has a name that pytest collects: trying %d files of the tests by name", len(md.Roots))
				continue
			}
		}
		if len(s.ids) == 0 {
			if len(s.uncollected) > 0 {
				u := s.uncollected[0]
				return md, &source.TargetError{Reason: fmt.Sprintf("none of its %d test files can be collected", len(s.uncollected)),
					First: u.file + ": " + firstLine(u.failure.Kind+": "+u.failure.Message), Log: p.logPath, Next: "repair what the error names, or choose tests with --tests"}
			}
			return md, &source.TargetError{Reason: "it has no tests that pytest finds", Log: p.logPath, Next: "name another version or source that ships tests, or say where they are with --tests"}
		}
		for _, u := range s.uncollected {
			p.say("collect", "set aside: %s does not collect: %s", u.file, firstLine(u.failure.Kind+": "+u.failure.Message))
		}
		p.say("collect", "%d tests", len(s.ids))
		return md, nil
	}
}

// missing returns the requirements that a collection lacked and that have not
// been tried, and whether the options were changed because pytest does not start with them.
func (p *preparer) missing(s *session, text string, md *mode) (more []string, changed bool) {
	modules := hints(s.hints)
	for _, u := range s.uncollected {
		for m := range hints(u.failure.Kind + ": " + u.failure.Message) {
			modules[m] = true
		}
		if u.missing != "" {
			modules[u.missing] = true
		}
	}
	add := func(requirement string) {
		if requirement != "" && !p.tried[requirement] {
			p.tried[requirement] = true
			more = append(more, requirement)
		}
	}
	if !s.ready { // pytest did not get to a session; only its output tells why
		for m := range hints(text) {
			modules[m] = true
		}
		for _, m := range noModule.FindAllStringSubmatch(text, -1) {
			modules[m[1]] = true
		}
		if m := needPlugins.FindStringSubmatch(text); m != nil {
			for _, q := range strings.Split(m[1], ",") {
				add(strings.TrimSpace(q))
			}
		}
		if m := fatalWarning.FindStringSubmatch(text); m != nil && !p.tried["warning "+m[1]] {
			p.tried["warning "+m[1]] = true
			md.Args = append(slices.Clone(md.Args), "-W", "default::"+m[1])
			p.say("collect", "%s ends pytest before it starts: it is no error from here on", m[1])
			changed = true
		}
		if m := unrecognized.FindStringSubmatch(text); m != nil {
			for _, a := range strings.Fields(m[1]) {
				if i := slices.Index(md.Args, a); i >= 0 {
					md.Args = slices.Delete(slices.Clone(md.Args), i, i+1)
					p.say("collect", "dropped %s: no installed plugin knows it", a)
					changed = true
				}
			}
		}
	}
	for _, m := range sortedKeys(modules) {
		if pkg, ok := source.PackageFor(m); ok {
			add(pkg)
		} else if !p.tried["module "+m] {
			p.tried["module "+m] = true
			p.say("collect", "module %s is missing, and which package brings it is not known", m)
		}
	}
	return more, changed
}

// lacking returns the requirements that tests fail without: fixtures that no
// plugin brings, asynchronous tests that nothing runs.
func (p *preparer) lacking(r *tally) []string {
	var text strings.Builder
	for _, id := range sortedKeys(r.failures) {
		text.WriteString(r.failures[id].Message + "\n" + r.failures[id].Text + "\n")
	}
	text.WriteString(r.hints)
	var more []string
	for _, m := range sortedKeys(hints(text.String())) {
		if pkg, ok := source.PackageFor(m); ok && !p.tried[pkg] {
			p.tried[pkg] = true
			more = append(more, pkg)
		}
	}
	return more
}

// install adds requirements; when they do not install together, those that do
// one by one.
func (p *preparer) install(ctx context.Context, more []string) error {
	if len(more) == 0 {
		return nil
	}
	before, env := p.recipe, p.env
	p.say("environment", "collection lacks %s", strings.Join(more, ", "))
	p.recipe.Requirements = with(before.Requirements, more)
	err := p.build(ctx)
	var target *source.TargetError
	if err == nil || !errors.As(err, &target) {
		return err
	}
	p.recipe, p.env = before, env
	if len(more) == 1 {
		p.say("environment", "%s does not install: %s", more[0], firstLine(target.First))
		return nil
	}
	for _, q := range more {
		if err := p.install(ctx, []string{q}); err != nil {
			return err
		}
	}
	return nil
}

// testsByName lists Python files that look like tests by their place.
func testsByName(t *tree.Tree) []string {
	var files []string
	for _, f := range t.Paths() {
		base := filepath.Base(f)
		if strings.HasSuffix(f, ".py") && python.Python.IsTest(f) && base != "conftest.py" && base != "__init__.py" {
			files = append(files, f)
		}
	}
	return files
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
	for _, id := range red {
		p.say("baseline", "red on the base: %s (%s)", id, b.Results[id])
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

// findings runs the linters and the smoke run on the base.
func (p *preparer) findings(ctx context.Context, w *Workspace, code []string) error {
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
	var err error
	w.Base.Lint, err = w.lint.pylint(ctx, p.Snapshot.Tree, code)
	t := <-types
	w.Base.Types = t.f
	if err = errors.Join(err, t.err); err != nil {
		return err
	}
	w.spent("lint", began)
	began = time.Now()
	p.say("smoke", "importing every module")
	failed, err := smoker{p.Box, p.env, w.mode}.run(ctx, p.Snapshot.Tree, smokeSteps(p.Snapshot.Tree, p.env), false)
	if err != nil {
		return err
	}
	for _, f := range failed {
		w.Base.RunLeft = append(w.Base.RunLeft, f.step.label())
		p.say("smoke", "left out: %s %s", f.step.label(), f.why)
	}
	w.spent("smoke", began)
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
	p.say("baseline", "%d tests: %s; one run takes %.1f s", len(b.Results), strings.Join(parts, ", "), b.Wall)
	if len(b.Flaky) > 0 {
		var names []string
		for _, f := range b.Flaky {
			names = append(names, f.Test)
		}
		p.say("baseline", "set aside as flaky: %s", strings.Join(names, ", "))
	}
}

// firstLine returns the first line of a text, bounded.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return clip(s, 300)
}
