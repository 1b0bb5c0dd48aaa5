package source

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// oldestPython is the oldest version whose suites breakfix can report on.
const oldestPython = ">=3.9"

// interpreter is a Python on the host as it describes itself: its real file,
// behind shims, links and virtual environments.
type interpreter struct {
	Executable string `json:"executable"` // as it was started
	Base       string `json:"base"`       // the base installation's executable, links resolved
	Prefix     string `json:"prefix"`
	BasePrefix string `json:"base_prefix"`
	Version    string `json:"version"` // "3.11.7"
}

const describeSelf = `import json, os, sys
print(json.dumps({"executable": sys.executable, "base": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
"prefix": sys.prefix, "base_prefix": os.path.realpath(sys.base_prefix), "version": "%d.%d.%d" % sys.version_info[:3]}))`

// describe asks an interpreter what it is. It runs in isolated mode, without
// the user's site folder and outside the current folder.
func describe(ctx context.Context, exe string) (interpreter, error) {
	var in interpreter
	cmd := exec.CommandContext(ctx, exe, "-I", "-c", describeSelf)
	cmd.Dir = "/"
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return in, ctx.Err()
		}
		return in, fmt.Errorf("run %s: %w: %s", exe, err, lastLine(errs.String()))
	}
	if err := json.Unmarshal(out.Bytes(), &in); err != nil {
		return in, fmt.Errorf("%s does not answer like Python: %w", exe, err)
	}
	if in.Base == "" || in.BasePrefix == "" {
		return in, fmt.Errorf("%s does not tell where it is installed", exe)
	}
	return in, nil
}

func lastLine(s string) string {
	lines := nonEmpty(strings.Split(s, "\n"))
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

// chooseInterpreter returns the python3 of the path when it fits, else the
// newest other one that does.
func chooseInterpreter(ctx context.Context, requires string) (interpreter, error) {
	fits := func(in interpreter) bool {
		return satisfies(in.Version, oldestPython) && satisfies(in.Version, requires)
	}
	var seen []interpreter
	if exe, err := exec.LookPath("python3"); err == nil {
		in, err := describe(ctx, exe)
		if ctx.Err() != nil {
			return in, ctx.Err()
		}
		if err == nil {
			if fits(in) {
				return in, nil
			}
			seen = append(seen, in)
		}
	}
	known := map[string]bool{}
	for _, exe := range otherInterpreters() {
		in, err := describe(ctx, exe)
		if ctx.Err() != nil {
			return in, ctx.Err()
		}
		if err == nil && !known[in.Base] { // a shim for a version that is not installed fails here
			known[in.Base] = true
			seen = append(seen, in)
		}
	}
	sort.SliceStable(seen, func(i, j int) bool {
		a, _ := parseVersion(seen[i].Version)
		b, _ := parseVersion(seen[j].Version)
		return a.compare(b) > 0
	})
	var have []string
	for _, in := range seen {
		if fits(in) {
			return in, nil
		}
		have = append(have, in.Version)
	}
	if requires == "" {
		requires = oldestPython
	}
	if len(have) == 0 {
		return interpreter{}, &UsageError{"no Python is on the path", "install Python 3.11 or newer (apt-get install python3 python3-venv)"}
	}
	return interpreter{}, &TargetError{
		Reason: fmt.Sprintf("it needs Python %s, and this machine has %s", requires, strings.Join(have, ", ")),
		Next:   "install a fitting Python and put it on the path, or name an environment with --python",
	}
}

// otherInterpreters lists python3.N on the path and in pyenv, newest first.
func otherInterpreters() []string {
	var dirs []string
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	root := os.Getenv("PYENV_ROOT")
	if home, err := os.UserHomeDir(); err == nil && root == "" {
		root = filepath.Join(home, ".pyenv")
	}
	if root != "" {
		versions, _ := filepath.Glob(filepath.Join(root, "versions", "*", "bin"))
		dirs = append(dirs, versions...)
	}
	var out []string
	for minor := 20; minor >= 9; minor-- {
		for _, dir := range dirs {
			// A shim of pyenv runs a version only where that one is switched on.
			if filepath.Base(dir) == "shims" {
				continue
			}
			exe := filepath.Join(dir, fmt.Sprintf("python3.%d", minor))
			if info, err := os.Stat(exe); err == nil && info.Mode()&0o111 != 0 && !info.IsDir() {
				out = append(out, exe)
			}
		}
	}
	return out
}
