package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/tree"
)

// environmentFormat changes when environments are made in another way, so that
// those made before are not taken for equal.
const environmentFormat = 1

// Build returns the environment of a recipe: from the cache, else made with uv
// in boxes that have the network but neither home nor credentials. The package
// is installed editable at sandbox.TreeAt, so that the environment serves all
// trees of the recipe; what its build wrote into the tree is kept beside it.
// A source of test dependencies that does not install is dropped and noted; a
// package that does not install is a *TargetError. log gets a line for a person
// now and then; what uv printed is in Environment.Log.
func Build(ctx context.Context, box sandbox.Sandbox, s *Snapshot, r Recipe, o Options, log io.Writer) (*Environment, error) {
	if log == nil {
		log = io.Discard
	}
	if r.Existing != "" {
		return useExisting(ctx, r)
	}
	cache, err := CacheDir(o.Cache)
	if err != nil {
		return nil, err
	}
	key, err := r.key()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "envs", string(key))
	if env, err := loadEnvironment(dir, r); err == nil {
		return env, nil
	}
	free, err := lock(ctx, dir+".lock", "the environment of "+s.Name, log)
	if err != nil {
		return nil, err
	}
	defer free()
	if env, err := loadEnvironment(dir, r); err == nil {
		return env, nil
	}
	started := time.Now()
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("remove a half-made environment: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	logs := filepath.Join(cache, "logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, err
	}
	logFile := filepath.Join(logs, fmt.Sprintf("environment-%s-%s.log", s.Name, key.Short()))
	f, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := &builder{snap: s, recipe: r, dir: dir, logFile: logFile, people: log}
	if b.in, err = newInstaller(ctx, box, cache, r.Python, r.Base, f); err != nil {
		return nil, err
	}
	env, err := b.build(ctx)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	env.Seconds = time.Since(started).Seconds()
	// The file is written last: an environment without it is half-made.
	body, err := json.MarshalIndent(env, "", " ")
	if err != nil {
		return nil, err
	}
	return env, writeWhole(filepath.Join(dir, "env.json"), body)
}

// key names the folder of a recipe's environment. It is known before the lock.
func (r Recipe) key() (tree.Digest, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	return tree.DigestOf(fmt.Appendf(nil, "%d uv %s\n%s", environmentFormat, UVVersion, body)), nil
}

// loadEnvironment reads a complete environment from the cache.
func loadEnvironment(dir string, r Recipe) (*Environment, error) {
	body, err := os.ReadFile(filepath.Join(dir, "env.json"))
	if err != nil {
		return nil, err
	}
	var env Environment
	if err := json.Unmarshal(body, &env); err != nil {
		return nil, err
	}
	env.Recipe.Base, env.Recipe.Notes = r.Base, r.Notes
	env.Dir, env.Base, env.Reused = filepath.Join(dir, "venv"), r.Base, true
	if _, err := os.Lstat(filepath.Join(env.Dir, "bin", "python")); err != nil {
		return nil, err
	}
	built := filepath.Join(dir, "built")
	if _, err := os.Stat(built); err == nil {
		env.Built = built
	}
	return &env, nil
}

// Binds shows the environment in a box: itself at EnvAt and the base
// interpreter at its own path, both read-only.
func (e *Environment) Binds() []sandbox.Bind {
	return append([]sandbox.Bind{{Host: e.Dir, Inside: EnvAt}}, baseBinds(e.Base)...)
}

// SearchPath lists the folders inside a box that belong on PYTHONPATH because
// the tree is not installed; empty when it is.
func (e *Environment) SearchPath() []string {
	var out []string
	for _, p := range e.Recipe.Path {
		out = append(out, path.Join(sandbox.TreeAt, p))
	}
	return out
}

// builder makes one environment.
type builder struct {
	in      *installer
	snap    *Snapshot
	recipe  Recipe
	dir     string
	logFile string
	people  io.Writer
	// last is what the latest installation printed.
	last string
}

// part is one source of requirements that may be dropped.
type part struct {
	label string
	extra string   // an extra of the package itself
	lines []string // requirements
}

// unpinned returns the part without its version numbers, which may ask for
// what does not exist for this Python, or contradict another part.
func (p part) unpinned() (loose part, changed bool) {
	loose = part{label: p.label}
	for _, line := range p.lines {
		req, marker, has := strings.Cut(line, ";")
		m := requirementName.FindStringSubmatch(strings.TrimSpace(req))
		if m == nil {
			return p, false
		}
		name := m[1] + m[2]
		changed = changed || name != strings.TrimSpace(req)
		if has {
			name += " ; " + strings.TrimSpace(marker)
		}
		loose.lines = append(loose.lines, name)
	}
	return loose, changed
}

func (b *builder) build(ctx context.Context) (*Environment, error) {
	parts, notes := b.parts()
	env := &Environment{Recipe: b.recipe, Log: b.logFile}
	for _, n := range notes {
		fmt.Fprintln(b.people, n)
		fmt.Fprintln(b.in.log, n)
	}
	env.Dropped = notes
	ok, err := b.install(ctx, parts)
	if err != nil {
		return nil, err
	}
	if !ok {
		if parts, err = b.narrow(ctx, parts, env); err != nil {
			return nil, err
		}
	}
	env.Dir, env.Base = filepath.Join(b.dir, "venv"), b.recipe.Base
	if err := b.compile(ctx); err != nil {
		return nil, err
	}
	if env.Built, err = b.keepBuilt(); err != nil {
		return nil, err
	}
	if env.Lock, err = readLock(env.Dir); err != nil {
		return nil, err
	}
	env.Digest, err = digestOf(b.recipe, env.Lock)
	return env, err
}

// compile makes the byte code of everything installed, once: boxes that run
// tests see the environment read-only. Files that do not compile (templates
// for other Pythons) are the business of those who import them.
func (b *builder) compile(ctx context.Context) error {
	_, err := b.in.box.Run(ctx, sandbox.Spec{
		Argv:  []string{EnvAt + "/bin/python", "-I", "-m", "compileall", "-q", "-j", "0", EnvAt + "/lib"},
		Dir:   "/tmp",
		Env:   []string{"PATH=/usr/bin:/bin", "HOME=/tmp/home", "LANG=C.UTF-8"},
		Binds: append([]sandbox.Bind{{Host: filepath.Join(b.dir, "venv"), Inside: EnvAt, Writable: true}}, baseBinds(b.recipe.Base)...), Limits: installLimits,
	})
	if err != nil {
		return fmt.Errorf("compile what was installed: %w", err)
	}
	return nil
}

func digestOf(r Recipe, lock []string) (tree.Digest, error) {
	body, err := json.Marshal(struct {
		Recipe Recipe
		Lock   []string
	}{r, lock})
	return tree.DigestOf(body), err
}

// parts lists what may be dropped when it does not install.
func (b *builder) parts() (parts []part, notes []string) {
	p := readProject(b.snap.Tree)
	known := p.extras()
	extras := append([]string(nil), b.recipe.Extras...)
	add := func(label string, n needs) {
		notes = append(notes, n.notes...)
		extras = append(extras, n.extras...)
		if len(n.requirements) > 0 {
			parts = append(parts, part{label: label, lines: n.requirements})
		}
	}
	for _, g := range b.recipe.Groups {
		lines, err := p.group(g)
		if err != nil {
			notes = append(notes, err.Error())
			continue
		}
		add("dependency group "+g, screen("dependency group "+g, lines, nil))
	}
	for _, f := range b.recipe.Files {
		add(f, requirementsFile(b.snap.Tree, f))
	}
	always := map[string]bool{}
	for _, r := range alwaysInstalled {
		always[r] = true
	}
	for _, r := range b.recipe.Requirements {
		if !always[r] {
			parts = append(parts, part{label: "requirement " + r, lines: []string{r}})
		}
	}
	if b.recipe.Install {
		for _, x := range unique(extras) {
			parts = append(parts, part{label: "extra " + x, extra: x, lines: screen("", known[x], nil).requirements})
		}
	}
	return parts, notes
}

// narrow finds the parts that install: the package alone first, whose failure
// is the target's, then one part after the other; of a part that fails, line
// after line.
func (b *builder) narrow(ctx context.Context, parts []part, env *Environment) ([]part, error) {
	all := b.last
	ok, err := b.install(ctx, nil)
	if err != nil {
		return nil, err
	}
	if !ok {
		reason := b.snap.Name + " " + b.snap.Version + " cannot be installed"
		if !b.recipe.Install {
			reason = "pytest cannot be installed for " + b.snap.Name
		}
		return nil, &TargetError{Reason: reason, First: firstError(b.last), Log: b.logFile, Next: "see the log; an environment that you made yourself is named with --python"}
	}
	fmt.Fprintf(b.people, "some test dependencies do not install (%s); trying them one by one\n", firstError(all))
	drop := func(label string) {
		note := fmt.Sprintf("%s is left out: it does not install (%s)", label, firstError(b.last))
		env.Dropped = append(env.Dropped, note)
		fmt.Fprintln(b.people, note)
	}
	var kept []part
	settled := true // whether the venv holds exactly what was kept
	for _, p := range parts {
		ok, err := b.install(ctx, append(kept[:len(kept):len(kept)], p))
		if err != nil {
			return nil, err
		}
		if settled = ok; ok {
			kept = append(kept, p)
			continue
		}
		loose, changed := p.unpinned()
		if changed {
			ok, err := b.install(ctx, append(kept[:len(kept):len(kept)], loose))
			if err != nil {
				return nil, err
			}
			if settled = ok; ok {
				kept = append(kept, loose)
				note := p.label + ": its versions do not install together and are not followed"
				env.Dropped = append(env.Dropped, note)
				fmt.Fprintln(b.people, note)
				continue
			}
		}
		if len(p.lines) < 2 {
			drop(p.label)
			continue
		}
		for _, line := range p.lines {
			one := part{label: p.label + ": " + line, lines: []string{line}}
			ok, err := b.install(ctx, append(kept[:len(kept):len(kept)], one))
			if err != nil {
				return nil, err
			}
			if settled = ok; ok {
				kept = append(kept, one)
			} else {
				drop(one.label)
			}
		}
	}
	if !settled {
		if ok, err := b.install(ctx, kept); err != nil || !ok {
			return nil, errors.Join(err, fmt.Errorf("install again what installed before: %s (log: %s)", firstError(b.last), b.logFile))
		}
	}
	return kept, nil
}

// install makes a new virtual environment with the package and the given
// parts. ok is false when the target's doing made it fail.
func (b *builder) install(ctx context.Context, parts []part) (ok bool, err error) {
	venv, upper := filepath.Join(b.dir, "venv"), filepath.Join(b.dir, "upper")
	for _, d := range []string{venv, upper} {
		if err := os.RemoveAll(d); err != nil {
			return false, err
		}
	}
	if err := os.MkdirAll(venv, 0o755); err != nil {
		return false, err
	}
	at := []sandbox.Bind{{Host: venv, Inside: EnvAt, Writable: true}}
	res, err := b.in.run(ctx, sandbox.Spec{Binds: at}, nil, "venv", "--quiet", "--allow-existing", "--no-project", "--python", b.recipe.Python, EnvAt)
	if err != nil {
		return false, err
	}
	if !good(res) {
		return false, fmt.Errorf("make a virtual environment with %s: %s (log: %s)", b.recipe.Python, firstError(string(res.Stderr)), b.logFile)
	}
	const overrideAt = "/breakfix/override.txt"
	args := []string{"pip", "install", "--python", EnvAt + "/bin/python", "--override", overrideAt}
	var extras []string
	for _, p := range parts {
		if p.extra != "" {
			extras = append(extras, p.extra)
			continue
		}
		args = append(args, p.lines...)
	}
	args = append(args, alwaysInstalled...)
	if b.recipe.Install {
		at := sandbox.TreeAt
		if len(extras) > 0 {
			at += "[" + strings.Join(extras, ",") + "]"
		}
		args = append(args, "--editable", at)
		// All targets lie at the same path: what uv remembers of it may be
		// another target's, and what the build writes is wanted each time.
		if name := readProject(b.snap.Tree).name(); name != "" {
			args = append(args, "--refresh-package", name)
		}
	}
	spec := sandbox.Spec{
		Tree: b.snap.Tree, Upper: upper, Binds: at,
		Extra: map[string]*tree.File{overrideAt: tree.Text(overrides())},
	}
	res, err = b.in.run(ctx, spec, b.versions(), args...)
	if err != nil {
		return false, err
	}
	b.last = string(res.Stdout) + string(res.Stderr)
	if good(res) {
		return true, nil
	}
	if res.Stopped == sandbox.Deadline || res.Stopped == sandbox.Memory {
		b.last = fmt.Sprintf("error: the installation was stopped (%s)\n", res.Stopped) + b.last
	}
	return false, ours(b.last, b.logFile)
}

// overrides drops lint plugins from whatever requires them.
func overrides() string {
	var lines []string
	for name := range lintPlugins {
		lines = append(lines, name+" ; python_version < '0'\n")
	}
	sort.Strings(lines)
	return strings.Join(lines, "")
}

// versions tells build back ends that ask version control which version this
// is. A source distribution says so itself; the variables, which also reach
// the builds of dependencies, are for trees that do not.
func (b *builder) versions() []string {
	if b.snap.Tree.Has("PKG-INFO") {
		return nil
	}
	v := b.snap.Version
	return []string{"SETUPTOOLS_SCM_PRETEND_VERSION=" + v, "PDM_BUILD_SCM_VERSION=" + v, "POETRY_DYNAMIC_VERSIONING_BYPASS=" + v,
		"UV_DYNAMIC_VERSIONING_BYPASS=" + v, "PBR_VERSION=" + v}
}

var (
	networkTrouble = regexp.MustCompile(`(?i)dns error|failed to lookup address|error sending request|connection refused|tcp connect error|network is unreachable|certificate verify failed|invalid peer certificate`)
	diskTrouble    = regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`)
	pythonError    = regexp.MustCompile(`^\s*(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit)\b.*`)
	uvError        = regexp.MustCompile(`^\s*(?:╰─▶|error:)\s*(.+)$`)
	compilerError  = regexp.MustCompile(`(?i)\b(?:fatal )?error: .+`)
)

// ours returns an error when an installation failed for a reason that is not
// the target's.
func ours(log, file string) error {
	switch {
	case diskTrouble.MatchString(log):
		return fmt.Errorf("the disk is full (log: %s); free some space and start again", file)
	case networkTrouble.MatchString(log):
		return fmt.Errorf("the package index cannot be reached from the box: %s (log: %s); check the network and the proxy", firstError(log), file)
	}
	return nil
}

// firstError finds the line that says why an installation failed.
func firstError(log string) string {
	lines := strings.Split(log, "\n")
	found := ""
	for _, l := range lines {
		if pythonError.MatchString(l) {
			found = strings.TrimSpace(l) // the last exception is the one that ended it
		}
	}
	for _, form := range []*regexp.Regexp{uvError, compilerError} {
		for i, l := range lines {
			if found != "" {
				break
			}
			if m := form.FindStringSubmatch(l); m != nil {
				found = strings.TrimSpace(m[len(m)-1])
				// uv wraps its sentences.
				for _, more := range lines[i+1:] {
					if more = strings.TrimSpace(more); more == "" || strings.HasPrefix(more, "[") {
						break
					}
					found += " " + more
				}
			}
		}
	}
	if found == "" {
		found = lastLine(log)
	}
	if r := []rune(found); len(r) > 300 {
		found = string(r[:300]) + "…"
	}
	return found
}

// leftByBuild are folders of a build that tests do not need.
var leftByBuild = map[string]bool{"build": true, "dist": true, ".eggs": true, "target": true}

// keepBuilt moves new files that the installation wrote into the tree (compiled
// modules, generated versions, metadata) to the environment's "built" folder.
// Files that the tree has are left as the tree has them.
func (b *builder) keepBuilt() (string, error) {
	upper, built := filepath.Join(b.dir, "upper"), filepath.Join(b.dir, "built")
	defer os.RemoveAll(upper)
	if _, err := os.Stat(upper); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	t, err := tree.FromDir(upper, func(p string, dir bool) bool {
		top, _, _ := strings.Cut(p, "/")
		return skipped(p) || leftByBuild[top] || strings.HasSuffix(p, ".o") || strings.HasSuffix(p, ".orig") || !dir && b.snap.Tree.Has(p)
	})
	if err != nil {
		return "", err
	}
	if len(t.Paths()) == 0 {
		return "", nil
	}
	for _, p := range t.Paths() {
		if t.Kind(p) == tree.Link {
			to, err := t.Read(p)
			if err != nil {
				return "", err
			}
			if !staysInside(p, string(to)) {
				if t, err = t.With(map[string]*tree.File{p: nil}); err != nil {
					return "", err
				}
			}
		}
	}
	if err := os.MkdirAll(built, 0o755); err != nil {
		return "", err
	}
	return built, t.WriteTo(built)
}

var distInfo = regexp.MustCompile(`^(.+)-([^-]+)\.(?:dist-info|egg-info)$`)

// readLock lists what is installed in a virtual environment: name==version,
// sorted.
func readLock(venv string) ([]string, error) {
	dirs, err := filepath.Glob(filepath.Join(venv, "lib", "python3*", "site-packages", "*-info"))
	if err != nil {
		return nil, err
	}
	lock := []string{}
	for _, d := range dirs {
		if m := distInfo.FindStringSubmatch(filepath.Base(d)); m != nil {
			lock = append(lock, normalName(m[1])+"=="+m[2])
		}
	}
	if len(lock) == 0 {
		return nil, fmt.Errorf("nothing is installed in %s", venv)
	}
	return unique(lock), nil
}
