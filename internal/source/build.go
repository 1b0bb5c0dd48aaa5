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
	if r.Existing != "" {
		return useExisting(ctx, r)
	}
	return made(ctx, box, s, r, o, log, "environment", (*builder).build)
}

// made is the environment of a recipe from the cache, else made how it says; kind names its log.
func made(ctx context.Context, box sandbox.Sandbox, s *Snapshot, r Recipe, o Options, log io.Writer, kind string, how func(*builder, context.Context) (*Environment, error)) (*Environment, error) {
	if log == nil {
		log = io.Discard
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
	free, err := lock(ctx, dir+".lock", "the "+kind+" of "+s.Name, log)
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
	for _, d := range []string{dir, filepath.Join(cache, "logs")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	logFile := filepath.Join(cache, "logs", fmt.Sprintf("%s-%s-%s.log", strings.ReplaceAll(kind, " ", "-"), s.Name, key.Short()))
	f, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := &builder{snap: s, recipe: r, dir: dir, logFile: logFile, people: log}
	if b.in, err = newInstaller(ctx, box, cache, r.Python, r.Base, f); err != nil {
		return nil, err
	}
	env, err := how(b, ctx)
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
	return b.complete(ctx, env)
}

// complete fills in what there is of an environment once everything is installed.
func (b *builder) complete(ctx context.Context, env *Environment) (_ *Environment, err error) {
	env.Dir, env.Base = b.venv(), b.recipe.Base
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

func (b *builder) venv() string  { return filepath.Join(b.dir, "venv") }
func (b *builder) upper() string { return filepath.Join(b.dir, "upper") }

// newVenv makes an empty virtual environment in the place of what is there, and returns it as a box sees it.
func (b *builder) newVenv(ctx context.Context) ([]sandbox.Bind, error) {
	for _, d := range []string{b.venv(), b.upper()} {
		if err := os.RemoveAll(d); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(b.venv(), 0o755); err != nil {
		return nil, err
	}
	at := []sandbox.Bind{{Host: b.venv(), Inside: EnvAt, Writable: true}}
	res, err := b.in.run(ctx, sandbox.Spec{Binds: at}, nil, "venv", "--quiet", "--allow-existing", "--no-project", "--python", b.recipe.Python, EnvAt)
	if err == nil && !good(res) {
		err = fmt.Errorf("make a virtual environment with %s: %s (log: %s)", b.recipe.Python, firstError(string(res.Stderr)), b.logFile)
	}
	return at, err
}

// compile makes the byte code of everything installed, once: boxes that run
// tests see the environment read-only. Files that do not compile (templates
// for other Pythons) are the business of those who import them.
func (b *builder) compile(ctx context.Context) error {
	_, err := b.in.box.Run(ctx, sandbox.Spec{
		Argv:  []string{EnvAt + "/bin/python", "-I", "-m", "compileall", "-q", "-j", "0", EnvAt + "/lib"},
		Dir:   "/tmp",
		Env:   []string{"PATH=/usr/bin:/bin", "HOME=/tmp/home", "LANG=C.UTF-8"},
		Binds: append([]sandbox.Bind{{Host: b.venv(), Inside: EnvAt, Writable: true}}, baseBinds(b.recipe.Base)...), Limits: installLimits,
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

// install makes a new virtual environment with the package and the given
// parts. ok is false when the target's doing made it fail.
func (b *builder) install(ctx context.Context, parts []part) (ok bool, err error) {
	at, err := b.newVenv(ctx)
	if err != nil {
		return false, err
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
		Tree: b.snap.Tree, Upper: b.upper(), Binds: at,
		Extra: map[string]*tree.File{overrideAt: tree.Text(overrides())},
	}
	res, err := b.in.run(ctx, spec, b.versions(), args...)
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

// leftByBuild are folders of a build that tests do not need.
var leftByBuild = map[string]bool{"build": true, "dist": true, ".eggs": true, "target": true}

// keepBuilt moves new files that the installation wrote into the tree (compiled
// modules, generated versions, metadata) to the environment's "built" folder.
// Files that the tree has are left as the tree has them.
func (b *builder) keepBuilt() (string, error) {
	upper, built := b.upper(), filepath.Join(b.dir, "built")
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
