package source

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"breakfix/internal/sandbox"
	"breakfix/internal/tree"
)

// What the tool environments hold. Every version is pinned, those of
// dependencies too: findings are compared over months.
const (
	lintPins = `pylint==4.1.4
mypy==2.4.1
ast-serialize==0.13.1
astroid==4.3.4
dill==0.4.1
isort==9.0.2
librt==0.16.0
mccabe==0.7.0
mypy-extensions==1.2.0
pathspec==1.1.1
platformdirs==4.14.7
tomlkit==0.15.2
typing-extensions==4.16.0
`
	// The last ones that run on Python 3.9 and 3.10.
	lintPinsOld = `pylint==3.3.9
mypy==1.18.2
astroid==3.3.11
dill==0.4.0
isort==6.0.1
mccabe==0.7.0
mypy-extensions==1.1.0
pathspec==0.12.1
platformdirs==4.4.0
tomli==2.2.1
tomlkit==0.13.3
typing-extensions==4.15.0
`
	coveragePins    = "coverage==7.17.3\n"
	coveragePinsOld = "coverage==7.10.7\n"
)

// ToolsAt is where the linters' environment must be bound in a box: its
// scripts and its configuration name this path.
const ToolsAt = "/tools"

// Tools returns the host folder of the linters' own virtual environment for
// the recipe's Python, made when it is missing. Bound at ToolsAt, with the base
// interpreter at its own path, ToolsAt/bin/python runs pylint and mypy.
func Tools(ctx context.Context, box sandbox.Sandbox, r Recipe, o Options, log io.Writer) (string, error) {
	return tool(ctx, box, r, o, log, "lint", "the linters", pinsFor(r.Version, lintPins, lintPinsOld), func(in *installer, dir string, pins sandbox.Spec) error {
		venv := sandbox.Spec{Binds: []sandbox.Bind{{Host: dir, Inside: ToolsAt, Writable: true}}}
		if res, err := in.run(ctx, venv, nil, "venv", "--quiet", "--allow-existing", "--no-project", "--python", r.Python, ToolsAt); err != nil {
			return err
		} else if !good(res) {
			return fmt.Errorf("%s", firstError(string(res.Stderr)))
		}
		pins.Binds = venv.Binds
		return in.pinned(ctx, pins, "--python", ToolsAt+"/bin/python")
	})
}

// CoverageDir returns a host folder that holds coverage.py alone, for the
// recipe's Python: bound anywhere and put on PYTHONPATH.
func CoverageDir(ctx context.Context, box sandbox.Sandbox, r Recipe, o Options, log io.Writer) (string, error) {
	return tool(ctx, box, r, o, log, "coverage", "coverage.py", pinsFor(r.Version, coveragePins, coveragePinsOld), func(in *installer, dir string, pins sandbox.Spec) error {
		const at = "/breakfix/target"
		pins.Binds = []sandbox.Bind{{Host: dir, Inside: at, Writable: true}}
		return in.pinned(ctx, pins, "--python", r.Python, "--target", at)
	})
}

func pinsFor(python, pins, old string) string {
	if satisfies(python, ">=3.11") {
		return pins
	}
	return old
}

const pinsAt = "/breakfix/pins.txt"

// pinned installs built packages only, exactly those listed.
func (in *installer) pinned(ctx context.Context, spec sandbox.Spec, where ...string) error {
	args := append([]string{"pip", "install", "--no-deps", "--only-binary", ":all:", "--requirement", pinsAt}, where...)
	res, err := in.run(ctx, spec, []string{"UV_COMPILE_BYTECODE=1"}, args...)
	if err != nil {
		return err
	}
	if !good(res) {
		return fmt.Errorf("%s", firstError(string(res.Stdout)+string(res.Stderr)))
	}
	return nil
}

// tool makes <cache>/tools/NAME-<digest of pins>-pyX.Y once, under a lock.
func tool(ctx context.Context, box sandbox.Sandbox, r Recipe, o Options, log io.Writer, name, what, pins string, install func(*installer, string, sandbox.Spec) error) (string, error) {
	if log == nil {
		log = io.Discard
	}
	cache, err := CacheDir(o.Cache)
	if err != nil {
		return "", err
	}
	// The interpreter's own path is part of the key: a virtual environment
	// points at it.
	minor := strings.Join(strings.SplitN(r.Version, ".", 3)[:2], ".")
	digest := tree.DigestOf([]byte(pins + r.Python + " " + r.Version + " uv " + UVVersion))
	base := fmt.Sprintf("%s-%s-py%s", name, digest.Short(), minor)
	dir := filepath.Join(cache, "tools", base)
	// The mark lies beside the folder, which is bound whole.
	inner := filepath.Join(dir, "root")
	if isComplete(dir) {
		return inner, nil
	}
	free, err := lock(ctx, dir+".lock", what, log)
	if err != nil {
		return "", err
	}
	defer free()
	if isComplete(dir) {
		return inner, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(inner, 0o755); err != nil {
		return "", err
	}
	logFile := filepath.Join(cache, "logs", base+".log")
	if err := os.MkdirAll(filepath.Dir(logFile), 0o755); err != nil {
		return "", err
	}
	f, err := os.Create(logFile)
	if err != nil {
		return "", err
	}
	defer f.Close()
	in, err := newInstaller(ctx, box, cache, r.Python, r.Base, f)
	if err != nil {
		return "", err
	}
	spec := sandbox.Spec{Extra: map[string]*tree.File{pinsAt: tree.Text(pins)}}
	if err := install(in, inner, spec); err != nil {
		os.RemoveAll(dir)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("install %s for Python %s: %w (log: %s); check the network and start again", what, minor, err, logFile)
	}
	return inner, markComplete(dir)
}
