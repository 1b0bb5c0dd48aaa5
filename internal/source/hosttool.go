package source

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"breakfix/internal/tree"
)

// HostTool returns the Python of an environment for a helper of breakfix's own
// that runs on the host, made in the cache when it is missing: built packages
// only, exactly those that pins lists, which include all dependencies.
func HostTool(ctx context.Context, cache, name, pins string) (string, error) {
	uv, err := EnsureUV(ctx, cache)
	if err != nil {
		return "", err
	}
	python := filepath.Join(filepath.Dir(uv), "python") // the one that uv itself was installed with
	return HostToolFor(ctx, cache, name, pins, python)
}

// HostToolFor is HostTool for a Python of the caller's choice.
func HostToolFor(ctx context.Context, cache, name, pins, python string) (string, error) {
	uv, err := EnsureUV(ctx, cache)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "tools", name+"-"+tree.DigestOf([]byte(pins+python+" uv "+UVVersion)).Short())
	exe := filepath.Join(dir, "bin", "python")
	if isComplete(dir) {
		return exe, nil
	}
	free, err := lock(ctx, dir+".lock", name, os.Stderr)
	if err != nil {
		return "", err
	}
	defer free()
	if isComplete(dir) {
		return exe, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"venv", "--quiet", "--no-project", "--python", python, dir},
		{"pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--python", exe, "--requirement", "-"},
	} {
		cmd := exec.CommandContext(ctx, uv, args...)
		cmd.Dir, cmd.Stdin = "/", strings.NewReader(pins)
		cmd.Env = append(os.Environ(), "UV_CACHE_DIR="+filepath.Join(cache, "uv"), "UV_PYTHON_DOWNLOADS=never", "UV_NO_CONFIG=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			return "", fmt.Errorf("install %s: %w: %s; check that the package index can be reached, and start again", name, err, lastLine(string(out)))
		}
	}
	return exe, markComplete(dir)
}
