package testrun

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"sort"
	"strings"
	"time"

	"breakfix/internal/lang/python"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// Linters read code and do not run it; they run in a box all the same, from a
// tool environment of their own, and never with a configuration of the target:
// its authors' taste is not the question, and a player could edit it.

// canaryAt is where files with one known finding each lie: a linter that does
// not report it is dead, which looks like "no findings".
const canaryAt = insideAt + "/canary"

const (
	pylintCanary = "print(name_that_no_module_defines)\n"
	mypyCanary   = "number: int = \"text\"\n"
)

// linters run the two tools.
type linters struct {
	box  sandbox.Sandbox
	env  *source.Environment
	dir  string   // host folder of the tool environment
	path []string // folders of the tree that modules are found in
	warm *gates   // nil: every call in a box of its own
}

// call is one call of a linter.
type call struct {
	tool   gate
	args   []string // the same in every call of a workspace
	once   []string // and in a call that keeps nothing for the next one
	canary string   // the file with a known finding
	files  []string
	env    []string
}

// lintWall is how long one call may take.
const lintWall = 10 * time.Minute

// alone runs a module of the tools as "python -m" does, but that the tree is not
// where modules come from: a typing.py there would be run in its place.
const alone = "import sys; sys.path.pop(0); del sys.argv[0]; import runpy; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"

// run makes a call in a child of a warm process, or in a box of its own: what
// the tool says is the same.
func (l linters) run(ctx context.Context, t *tree.Tree, c call) (sandbox.Result, error) {
	if l.warm != nil && l.warm.due(c.tool) {
		if res, err := l.warm.call(ctx, t, c); !cold(err) {
			return res, err
		}
	}
	argv := append([]string{source.ToolsAt + "/bin/python", "-c", alone, string(c.tool)}, c.args...)
	argv = append(append(append(argv, c.once...), c.canary), c.files...)
	return l.box.Run(ctx, l.spec(t, argv, c.env...))
}

var (
	digits     = regexp.MustCompile(`[0-9]+`)
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// maskDigits makes messages about "line 12" equal to those about "line 13".
func maskDigits(s string) string { return digits.ReplaceAllString(s, "#") }

// codeFiles returns the code of a tree that linters read: modules whose path
// is importable, sorted.
func codeFiles(t *tree.Tree) []string {
	var files []string
	for _, p := range t.Paths() {
		if k := t.Kind(p); k != tree.Link && strings.HasSuffix(p, ".py") && python.Python.IsCode(p) && importable(p) {
			files = append(files, p)
		}
	}
	return files
}

func importable(p string) bool {
	for _, part := range strings.Split(strings.TrimSuffix(p, ".py"), "/") {
		if !identifier.MatchString(part) {
			return false
		}
	}
	return true
}

func (l linters) spec(t *tree.Tree, argv []string, env ...string) sandbox.Spec {
	s := sandbox.Spec{
		Tree: t,
		Extra: map[string]*tree.File{
			path.Join(insideAt, "none.ini"):            tree.Text(""),
			path.Join(canaryAt, "canary_of_pylint.py"): tree.Text(pylintCanary),
			path.Join(canaryAt, "canary_of_mypy.py"):   tree.Text(mypyCanary),
		},
		Argv: argv,
		Env: append([]string{"PATH=" + source.ToolsAt + "/bin:/usr/bin:/bin", "HOME=/tmp", "LANG=C.UTF-8", "TZ=UTC", "COLUMNS=80",
			"PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=0"}, env...),
		Binds:  append(environmentBinds(l.env), sandbox.Bind{Host: l.dir, Inside: source.ToolsAt}),
		Limits: sandbox.Limits{Wall: lintWall, Output: 64 << 20, Memory: 4 << 30},
	}
	if l.env.Built != "" {
		s.Layers = []string{l.env.Built}
	}
	return s
}

func dead(tool string, res sandbox.Result, why string) error {
	said := lastLines(tail(res.Stderr, 2000)+tail(res.Stdout, 1000), 5)
	return fmt.Errorf("%s did not do its work (%s, %s, status %d): %s; remove the linters' folder in breakfix's cache so that they are installed again",
		tool, why, res.Stopped, res.Exit, said)
}

func (l linters) pylintCall(files []string) call {
	site := fmt.Sprintf("import sys, glob; sys.path += glob.glob('%s/lib/python3*/site-packages')", source.EnvAt)
	for _, p := range l.path {
		site += fmt.Sprintf(" + [%q]", path.Join(sandbox.TreeAt, p))
	}
	return call{tool: gatePylint, args: []string{"--rcfile", path.Join(insideAt, "none.ini"), "--disable=all", "--enable=E,W,F",
		"--persistent=n", "--score=n", "--jobs=1", "--output-format=json", "--init-hook", site},
		canary: path.Join(canaryAt, "canary_of_pylint.py"), files: files}
}

// pylint returns errors and warnings in the given files.
func (l linters) pylint(ctx context.Context, t *tree.Tree, files []string) (Findings, error) {
	res, err := l.run(ctx, t, l.pylintCall(files))
	if err != nil {
		return nil, fmt.Errorf("run pylint in the sandbox: %w", err)
	}
	var list []struct {
		Type, Obj, Path, Symbol, Message string
	}
	if res.Stopped != sandbox.Exited || res.Exit&32 != 0 || json.Unmarshal(res.Stdout, &list) != nil {
		return nil, dead("pylint", res, "no list of findings")
	}
	found, alive := Findings{}, false
	for _, m := range list {
		if strings.Contains(m.Path, "canary_of_pylint") {
			alive = alive || m.Symbol == "undefined-variable"
			continue
		}
		found[Finding{File: relative(m.Path), Rule: m.Symbol, Object: m.Obj, Message: maskAddresses(maskDigits(m.Message))}]++
	}
	if !alive {
		return nil, dead("pylint", res, "it missed a finding that is there")
	}
	return found, nil
}

func relative(p string) string { return strings.TrimPrefix(p, sandbox.TreeAt+"/") }

// moduleRoots returns the folders of a tree that its modules are found in,
// given the code files: where the outermost packages lie.
func moduleRoots(t *tree.Tree, files []string) []string {
	seen := map[string]bool{}
	for _, f := range files {
		seen[moduleRoot(t, f)] = true
	}
	roots := sortedKeys(seen)
	sort.SliceStable(roots, func(i, j int) bool { return len(roots[i]) > len(roots[j]) }) // "src" before "."
	return roots
}

// moduleRoot returns the folder from which the module at p is imported.
func moduleRoot(t *tree.Tree, p string) string {
	dir := path.Dir(p)
	for dir != "." && t.Has(path.Join(dir, "__init__.py")) {
		dir = path.Dir(dir)
	}
	return dir
}

// changedCode returns the code files in which t differs from base, sorted;
// files that t no longer has are left out.
func changedCode(base, t *tree.Tree) []string {
	var files []string
	for _, p := range codeFiles(t) {
		if base.FileDigest(p) != t.FileDigest(p) {
			files = append(files, p)
		}
	}
	return files
}

// Lint returns pylint's errors and warnings in t. Only files in which t differs
// from the snapshot are read: those of unchanged files are taken to be the
// base's (what a changed signature does to its callers is mypy's to find).
// Pylint says a little more or less of a file alone than in a whole package,
// so the base's findings of a changed file are those of that file alone, with
// what the change added and took away: NewFindings(Base.Lint, …) is exact. A
// new comment that silences pylint is a finding too.
func (w *Workspace) Lint(ctx context.Context, t *tree.Tree) (Findings, error) {
	if err := w.haveFindings(ctx); err != nil {
		return nil, err
	}
	files := changedCode(w.Snapshot.Tree, t)
	now := Findings{}
	for k, n := range w.Base.Lint {
		if t.Has(k.File) {
			now[k] = n
		}
	}
	if len(files) == 0 {
		return now, nil
	}
	var old []string
	for _, f := range files {
		if w.Snapshot.Tree.Has(f) {
			old = append(old, f)
		}
	}
	before := Findings{}
	var err error
	if len(old) > 0 {
		if before, err = w.lintFiles(ctx, w.Snapshot.Tree, old); err != nil {
			return nil, err
		}
	}
	after, err := w.lintFiles(ctx, t, files)
	if err != nil {
		return nil, err
	}
	for k, n := range after {
		now[k] += n
	}
	for k, n := range before {
		now[k] -= n
	}
	for k, n := range now {
		if n <= 0 {
			delete(now, k)
		}
	}
	hidden, err := silenced(w.Snapshot.Tree, t, silencesPylint)
	return now.and(hidden), err
}

func (w *Workspace) lintFiles(ctx context.Context, t *tree.Tree, files []string) (Findings, error) {
	key := fmt.Sprintf("lint %s %q", t.Digest(), files)
	if t == w.Snapshot.Tree {
		key = fmt.Sprintf("lint base %s %q", w.Snapshot.Digest, files)
	}
	return w.finding(ctx, "lint", key, func(ctx context.Context) (Findings, error) { return w.lint.pylint(ctx, t, files) })
}

// Types returns mypy's findings in the whole package of t, and new comments
// that silence it.
func (w *Workspace) Types(ctx context.Context, t *tree.Tree) (Findings, error) {
	if err := w.haveFindings(ctx); err != nil {
		return nil, err
	}
	if t.Digest() == w.Snapshot.Tree.Digest() && w.Base.Types != nil {
		return w.Base.Types, nil
	}
	found, err := w.finding(ctx, "types", "types "+string(t.Digest()), func(ctx context.Context) (Findings, error) {
		return w.lint.mypy(ctx, t, codeFiles(t))
	})
	if err != nil {
		return nil, err
	}
	hidden, err := silenced(w.Snapshot.Tree, t, silencesMypy)
	return found.and(hidden), err
}

// finding runs a linter once for a key.
func (w *Workspace) finding(ctx context.Context, phase, key string, run func(context.Context) (Findings, error)) (Findings, error) {
	unlock, err := w.cache.lock(ctx, key)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if f, ok := fact[Findings](w.facts, key); ok {
		return f, nil
	}
	began := time.Now()
	f, err := run(ctx)
	if err != nil {
		return nil, err
	}
	w.spent(phase, began)
	setFact(w.facts, key, f)
	return f, nil
}
