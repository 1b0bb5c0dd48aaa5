package source

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/tree"
)

// Lock is an environment by its versions alone, as it travels with a bug.
type Lock struct {
	Python   string   // "3.11.7": an interpreter of the same minor version is used
	Versions []string // name==version of everything installed, the package itself among them
	Install  bool     // the tree is a package, installed editable
	Path     []string // else: its folders that go on the module search path
}

// BuildLocked returns the environment that holds exactly the versions of a
// lock: from the cache, else made in boxes, as Build makes one. Nothing is
// resolved. A version that does not install is a *TargetError.
func BuildLocked(ctx context.Context, box sandbox.Sandbox, s *Snapshot, l Lock, o Options, log io.Writer) (*Environment, error) {
	if log == nil {
		log = io.Discard
	}
	cache, err := CacheDir(o.Cache)
	if err != nil {
		return nil, err
	}
	in, err := chooseInterpreter(ctx, minorOf(l.Python))
	if err != nil {
		return nil, err
	}
	r := Recipe{Python: in.Base, Version: in.Version, Base: in.BasePrefix, Install: l.Install, Path: l.Path,
		Requirements: l.Versions, Build: buildDigest(s.Tree, nil), Settings: []string{"locked", "version " + s.Version}}
	key, err := r.key()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "envs", string(key))
	free, err := lock(ctx, dir+".lock", "the locked environment of "+s.Name, log)
	if err != nil {
		return nil, err
	}
	defer free()
	if env, err := loadEnvironment(dir, r); err == nil {
		return env, nil
	}
	began := time.Now()
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	for _, d := range []string{dir, filepath.Join(cache, "logs")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	logFile := filepath.Join(cache, "logs", fmt.Sprintf("locked-%s-%s.log", s.Name, key.Short()))
	f, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := &builder{snap: s, recipe: r, dir: dir, logFile: logFile, people: log}
	if b.in, err = newInstaller(ctx, box, cache, r.Python, r.Base, f); err != nil {
		return nil, err
	}
	env, err := b.locked(ctx)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	env.Seconds = time.Since(began).Seconds()
	body, err := json.MarshalIndent(env, "", " ")
	if err != nil {
		return nil, err
	}
	return env, writeWhole(filepath.Join(dir, "env.json"), body)
}

// minorOf is the requirement of the same minor version: "3.11.7" → "==3.11.*".
func minorOf(version string) string {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return ""
	}
	return "==" + parts[0] + "." + parts[1] + ".*"
}

// Others leaves the package itself out of a lock: what is installed beside it.
func (l Lock) Others(t *tree.Tree) []string {
	own := ""
	if l.Install {
		own = normalName(readProject(t).name())
	}
	var out []string
	for _, v := range l.Versions {
		if name, _, _ := strings.Cut(v, "=="); own == "" || normalName(name) != own {
			out = append(out, v)
		}
	}
	return out
}

func (b *builder) locked(ctx context.Context) (*Environment, error) {
	venv, upper := filepath.Join(b.dir, "venv"), filepath.Join(b.dir, "upper")
	if err := os.MkdirAll(venv, 0o755); err != nil {
		return nil, err
	}
	binds := []sandbox.Bind{{Host: venv, Inside: EnvAt, Writable: true}}
	res, err := b.in.run(ctx, sandbox.Spec{Binds: binds}, nil, "venv", "--quiet", "--allow-existing", "--no-project", "--python", b.recipe.Python, EnvAt)
	if err != nil {
		return nil, err
	}
	if !good(res) {
		return nil, fmt.Errorf("make a virtual environment with %s: %s (log: %s)", b.recipe.Python, firstError(string(res.Stderr)), b.logFile)
	}
	const at = "/breakfix/lock.txt"
	args := []string{"pip", "install", "--no-deps", "--python", EnvAt + "/bin/python", "--requirement", at}
	if b.recipe.Install {
		args = append(args, "--editable", sandbox.TreeAt)
		if name := readProject(b.snap.Tree).name(); name != "" {
			args = append(args, "--refresh-package", name)
		}
	}
	others := Lock{Versions: b.recipe.Requirements, Install: b.recipe.Install}.Others(b.snap.Tree)
	spec := sandbox.Spec{Tree: b.snap.Tree, Upper: upper, Binds: binds,
		Extra: map[string]*tree.File{at: tree.Text(strings.Join(others, "\n") + "\n")}}
	if res, err = b.in.run(ctx, spec, b.versions(), args...); err != nil {
		return nil, err
	}
	if !good(res) {
		said := string(res.Stdout) + string(res.Stderr)
		if err := ours(said, b.logFile); err != nil {
			return nil, err
		}
		return nil, &TargetError{Reason: "the versions of the lock do not install", First: firstError(said), Log: b.logFile, Next: "see that the index still has them"}
	}
	env := &Environment{Recipe: b.recipe, Log: b.logFile, Dir: venv, Base: b.recipe.Base}
	if err := b.compile(ctx); err != nil {
		return nil, err
	}
	if env.Built, err = b.keepBuilt(); err != nil {
		return nil, err
	}
	if env.Lock, err = readLock(venv); err != nil {
		return nil, err
	}
	env.Digest, err = digestOf(b.recipe, env.Lock)
	return env, err
}
