package source

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"breakfix/internal/sandbox"
)

// UVVersion is the version of uv that makes every environment. The installer
// is part of what an environment is, so it is pinned.
const UVVersion = "0.13.9"

// uvAt and uvCacheAt are where uv and its cache lie in a box.
const (
	uvAt      = "/breakfix/uv"
	uvCacheAt = "/breakfix/uv-cache"
)

// EnsureUV returns the path of breakfix's own uv, which it installs with pip
// into the cache folder when it is missing or half-made.
func EnsureUV(ctx context.Context, cache string) (string, error) {
	dir := filepath.Join(cache, "tools", "uv-"+UVVersion)
	uv := filepath.Join(dir, "bin", "uv")
	if isComplete(dir) {
		return uv, nil
	}
	free, err := lock(ctx, dir+".lock", "uv "+UVVersion, os.Stderr)
	if err != nil {
		return "", err
	}
	defer free()
	if isComplete(dir) {
		return uv, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", &UsageError{"no Python is on the path", "install Python 3.11 or newer (apt-get install python3 python3-venv)"}
	}
	for _, args := range [][]string{
		{python, "-m", "venv", dir},
		// A built package only: nothing of it runs while it is installed.
		{filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "uv==" + UVVersion},
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = "/"
		if out, err := cmd.CombinedOutput(); err != nil {
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			return "", fmt.Errorf("install uv %s (%s): %w: %s; run make setup, or see that python3-venv is installed and the package index can be reached",
				UVVersion, strings.Join(args[1:], " "), err, lastLine(string(out)))
		}
	}
	if _, err := os.Stat(uv); err != nil {
		return "", fmt.Errorf("install uv %s: %w", UVVersion, err)
	}
	return uv, markComplete(dir)
}

// installer runs uv in boxes: network on, no home, no credentials.
type installer struct {
	box    sandbox.Sandbox
	uv     string // on the host
	cache  string
	python string // base interpreter
	base   string // its prefix
	log    io.Writer
}

func newInstaller(ctx context.Context, box sandbox.Sandbox, cache, python, base string, log io.Writer) (*installer, error) {
	uv, err := EnsureUV(ctx, cache)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(cache, "uv"), 0o755); err != nil {
		return nil, err
	}
	return &installer{box: box, uv: uv, cache: cache, python: python, base: base, log: log}, nil
}

// limits of one installation. Compilers and large wheels need more than tests.
var installLimits = sandbox.Limits{
	Wall: 20 * time.Minute, Memory: 4 << 30, Pids: 1024, Output: 16 << 20, Scratch: 4 << 30, Inodes: 400_000,
}

// baseBinds shows the base interpreter at its own path, when the box does not
// show it anyway.
func baseBinds(base string) []sandbox.Bind {
	if base == "" || base == "/usr" || strings.HasPrefix(base, "/usr/") {
		return nil
	}
	return []sandbox.Bind{{Host: base, Inside: base}}
}

// environ is everything that foreign code sees while it is installed.
func (in *installer) environ(more []string) ([]string, []sandbox.Bind) {
	s := readIndexSettings().public()
	env := []string{
		"PATH=/env/bin:/usr/local/bin:/usr/bin:/bin", "HOME=/tmp/home", "LANG=C.UTF-8", "TZ=UTC",
		"UV_CACHE_DIR=" + uvCacheAt, "UV_NO_CONFIG=1", "UV_NO_PROGRESS=1", "UV_PYTHON_DOWNLOADS=never", "UV_LINK_MODE=copy",
		"UV_HTTP_TIMEOUT=120", "UV_DEFAULT_INDEX=" + s.index, "NO_COLOR=1",
		"PIP_INDEX_URL=" + s.index,
	}
	binds := []sandbox.Bind{
		{Host: in.uv, Inside: uvAt},
		{Host: filepath.Join(in.cache, "uv"), Inside: uvCacheAt, Writable: true},
	}
	binds = append(binds, baseBinds(in.base)...)
	if len(s.extra) > 0 {
		env = append(env, "UV_INDEX="+strings.Join(s.extra, " "))
	}
	if len(s.findLinks) > 0 {
		env = append(env, "UV_FIND_LINKS="+strings.Join(s.findLinks, ","))
		for _, dir := range s.findLinks {
			if filepath.IsAbs(dir) {
				binds = append(binds, sandbox.Bind{Host: filepath.Clean(dir), Inside: filepath.Clean(dir)})
			}
		}
	}
	if s.cert != "" {
		if at, err := filepath.EvalSymlinks(s.cert); err == nil {
			const certAt = "/breakfix/certificates.pem"
			binds = append(binds, sandbox.Bind{Host: at, Inside: certAt})
			env = append(env, "SSL_CERT_FILE="+certAt, "PIP_CERT="+certAt, "REQUESTS_CA_BUNDLE="+certAt)
		}
	}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"} {
		for _, n := range []string{name, strings.ToLower(name)} {
			if v := os.Getenv(n); v != "" {
				env = append(env, n+"="+withoutUser(v))
			}
		}
	}
	return append(env, more...), binds
}

// run runs uv once with the given arguments on top of spec and appends what
// it printed to the log.
func (in *installer) run(ctx context.Context, spec sandbox.Spec, more []string, args ...string) (sandbox.Result, error) {
	env, binds := in.environ(more)
	spec.Env = env
	spec.Binds = append(binds, spec.Binds...)
	spec.Network = true
	spec.Limits = installLimits
	spec.Argv = append([]string{uvAt}, args...)
	if spec.Tree == nil {
		spec.Dir = "/tmp"
	}
	fmt.Fprintf(in.log, "$ uv %s\n", strings.Join(args, " "))
	res, err := in.box.Run(ctx, spec)
	if err != nil {
		return res, fmt.Errorf("run uv in a box: %w", err)
	}
	in.log.Write(res.Stdout)
	in.log.Write(res.Stderr)
	switch res.Stopped {
	case sandbox.Exited, sandbox.Signaled:
	default:
		fmt.Fprintf(in.log, "stopped: %s\n", res.Stopped)
	}
	return res, nil
}

// good reports whether a run of uv did its work.
func good(res sandbox.Result) bool { return res.Stopped == sandbox.Exited && res.Exit == 0 }
