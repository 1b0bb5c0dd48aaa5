package source

import (
	"context"
	"io"
	"strings"

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
	in, err := chooseInterpreter(ctx, minorOf(l.Python))
	if err != nil {
		return nil, err
	}
	r := Recipe{Python: in.Base, Version: in.Version, Base: in.BasePrefix, Install: l.Install, Path: l.Path,
		Requirements: l.Versions, Build: buildDigest(s.Tree, nil), Settings: []string{"locked", "version " + s.Version}}
	return made(ctx, box, s, r, o, log, "locked environment", (*builder).locked)
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
	binds, err := b.newVenv(ctx)
	if err != nil {
		return nil, err
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
	spec := sandbox.Spec{Tree: b.snap.Tree, Upper: b.upper(), Binds: binds,
		Extra: map[string]*tree.File{at: tree.Text(strings.Join(others, "\n") + "\n")}}
	res, err := b.in.run(ctx, spec, b.versions(), args...)
	if err != nil {
		return nil, err
	}
	if !good(res) {
		said := string(res.Stdout) + string(res.Stderr)
		if err := ours(said, b.logFile); err != nil {
			return nil, err
		}
		return nil, &TargetError{Reason: "the versions of the lock do not install", First: firstError(said), Log: b.logFile, Next: "see that the index still has them"}
	}
	return b.complete(ctx, &Environment{Recipe: b.recipe, Log: b.logFile})
}
