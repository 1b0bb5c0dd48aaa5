package source

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// existing makes the recipe of --python: an environment that the user made is
// taken as it is, and the tree goes on the module search path before whatever
// it has installed.
func existing(ctx context.Context, s *Snapshot, o Options) (Recipe, error) {
	exe := o.Python
	if found, err := exec.LookPath(exe); err == nil {
		exe = found
	}
	in, err := describe(ctx, exe)
	if ctx.Err() != nil {
		return Recipe{}, ctx.Err()
	}
	if err != nil {
		return Recipe{}, &UsageError{fmt.Sprintf("--python %s is no Python that runs (%v)", o.Python, err), "name the interpreter of a virtual environment, for example .venv/bin/python"}
	}
	if !satisfies(in.Version, oldestPython) {
		return Recipe{}, &UsageError{fmt.Sprintf("--python %s is Python %s", o.Python, in.Version), "breakfix needs Python 3.9 or newer"}
	}
	if _, err := os.Stat(filepath.Join(in.Prefix, "bin", "python")); err != nil {
		return Recipe{}, &UsageError{fmt.Sprintf("--python %s is the system's own Python and no environment", o.Python), "make one with: python3 -m venv .venv && .venv/bin/pip install pytest"}
	}
	r := Recipe{Python: in.Base, Version: in.Version, Base: in.BasePrefix, Existing: in.Prefix, Path: searchPath(s.Tree), Build: buildDigest(s.Tree, nil)}
	lock, err := installedIn(ctx, r)
	if err != nil {
		return Recipe{}, err
	}
	for _, entry := range lock {
		if len(entry) > 8 && entry[:8] == "pytest==" {
			return r, nil
		}
	}
	return Recipe{}, &UsageError{fmt.Sprintf("the environment of --python %s has no pytest", o.Python), fmt.Sprintf("type %s -m pip install pytest", o.Python)}
}

const listInstalled = `import json
from importlib import metadata
print(json.dumps(sorted({(d.metadata["Name"] or "", d.version or "") for d in metadata.distributions()})))`

// installedIn lists what an existing environment has, name==version, sorted.
func installedIn(ctx context.Context, r Recipe) ([]string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(r.Existing, "bin", "python"), "-I", "-c", listInstalled)
	cmd.Dir = "/"
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &UsageError{fmt.Sprintf("the environment %s cannot list what it has installed (%s)", r.Existing, lastLine(errs.String())), "name another one with --python"}
	}
	var pairs [][2]string
	if err := json.Unmarshal(out.Bytes(), &pairs); err != nil {
		return nil, fmt.Errorf("read what %s has installed: %w", r.Existing, err)
	}
	var lock []string
	for _, p := range pairs {
		if p[0] != "" {
			lock = append(lock, normalName(p[0])+"=="+p[1])
		}
	}
	return unique(lock), nil
}

// useExisting is Build for --python: nothing is made.
func useExisting(ctx context.Context, r Recipe) (*Environment, error) {
	lock, err := installedIn(ctx, r)
	if err != nil {
		return nil, err
	}
	d, err := digestOf(r, lock)
	if err != nil {
		return nil, err
	}
	return &Environment{Digest: d, Recipe: r, Lock: lock, Dir: r.Existing, Base: r.Base, Reused: true}, nil
}
