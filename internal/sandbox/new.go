package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The backends.
const (
	Bubblewrap = "bubblewrap" // the default
	None       = "none"       // no isolation at all; must be typed out
)

// Options say how boxes are made.
type Options struct {
	// Backend is Bubblewrap (also when empty) or None. Nothing falls back to
	// None by itself.
	Backend string
	// Scratch is a folder for what one run needs on the host (changed files,
	// mount points); "" means one of the user's own below the temporary folder.
	// What dead processes left in it is removed by New.
	Scratch string
}

// MissingError says that this machine lacks something that a box needs.
type MissingError struct {
	What string // what is missing, lower case
	Next string // the one line that brings it
}

func (e *MissingError) Error() string { return e.What + "; to get it: " + e.Next }

// New returns a sandbox of the chosen backend after having run one command in
// it. The error is a *MissingError when the machine lacks something.
func New(opts Options) (Sandbox, error) {
	scratch, err := scratchFolder(opts.Scratch)
	if err != nil {
		return nil, err
	}
	self, err := startOf(os.Getpid())
	if err != nil {
		return nil, fmt.Errorf("read when this process started: %w", err)
	}
	sweepScratch(scratch)
	own := filepath.Join(scratch, fmt.Sprintf("%s%d-%d-%d", boxPrefix, os.Getpid(), self, serial.Add(1)))
	switch opts.Backend {
	case None:
		return &plain{scratch: own, cgroups: detectCgroups(self)}, nil
	case "", Bubblewrap:
	default:
		return nil, fmt.Errorf("sandbox backend %q is not known; the backends are %s and %s", opts.Backend, Bubblewrap, None)
	}
	b := &bubblewrap{scratch: own}
	for _, need := range []struct {
		at         *string
		name, from string
	}{{&b.bwrap, "bwrap", "bubblewrap"}, {&b.mount, "mount", "mount"}, {&b.sh, "sh", "dash"}} {
		if *need.at, err = exec.LookPath(need.name); err != nil {
			return nil, &MissingError{What: need.from + " is not installed (no " + need.name + " on the PATH)", Next: "apt-get install " + need.from}
		}
	}
	b.version = bwrapVersion(b.bwrap)
	if b.base, err = baseArguments(); err != nil {
		return nil, err
	}
	b.cgroups = detectCgroups(self)
	return b, b.probe()
}

// probe runs one command, as root without and else with a user namespace for
// the mounts, and keeps what works.
func (b *bubblewrap) probe() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	modes := []bool{true}
	if os.Geteuid() == 0 {
		modes = []bool{false, true}
	}
	var first error
	for _, b.userns = range modes {
		res, err := b.Run(ctx, Spec{Argv: []string{"/bin/sh", "-c", "exit 7"}})
		if err == nil && res.Stopped == Exited && res.Exit == 7 {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("the probe ended as %s %d: %s", res.Stopped, res.Exit, strings.TrimSpace(string(res.Stderr)))
		}
		if first == nil {
			first = err
		}
	}
	os.RemoveAll(b.scratch)
	return &MissingError{
		What: "bubblewrap cannot make a box here (" + first.Error() + ")",
		Next: "sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0 (or run in a container with CAP_SYS_ADMIN, or type out --sandbox none)",
	}
}

var serial atomic.Int64

// scratchFolder makes and checks the folder: only its owner may enter it.
func scratchFolder(dir string) (string, error) {
	if dir == "" {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("breakfix-%d", os.Geteuid()))
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the sandbox's scratch folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(st.Uid) != os.Geteuid() {
		return "", fmt.Errorf("scratch folder %s is not a folder of this user; name another one", dir)
	}
	return dir, nil
}

func bwrapVersion(bwrap string) string {
	out, err := exec.Command(bwrap, "--version").Output()
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "bubblewrap ")
}

// atLeast reports whether the dotted version v is major.minor or later.
func atLeast(v string, major, minor int) bool {
	var a, b int
	if n, _ := fmt.Sscanf(v, "%d.%d", &a, &b); n != 2 {
		return false
	}
	return a > major || a == major && b >= minor
}

// withDefaults fills in the zero fields.
func (l Limits) withDefaults() Limits {
	def := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	if l.Wall <= 0 {
		l.Wall = 60 * time.Second
	}
	def(&l.Memory, 2<<30)
	def(&l.Output, 1<<20)
	def(&l.Report, 256<<20)
	def(&l.Scratch, 256<<20)
	if l.Pids <= 0 {
		l.Pids = 256
	}
	if l.Inodes <= 0 {
		l.Inodes = 100000
	}
	return l
}

// check returns an error about a specification that no backend can run.
func (s *Spec) check() error {
	if len(s.Argv) == 0 {
		return errors.New("sandbox: no command given")
	}
	if s.Tree == nil && len(s.Layers) > 0 {
		return errors.New("sandbox: layers need a tree to lie on")
	}
	for _, b := range s.Binds {
		if !cleanAbs(b.Inside) || !filepath.IsAbs(b.Host) {
			return fmt.Errorf("sandbox: bind of %q at %q: both paths must be absolute and clean", b.Host, b.Inside)
		}
	}
	for p := range s.Extra {
		if !cleanAbs(p) || p == TreeAt || strings.HasPrefix(p, TreeAt+"/") {
			return fmt.Errorf("sandbox: extra file %q: the path must be absolute, clean and outside %s", p, TreeAt)
		}
	}
	for _, kv := range s.Env {
		if i := strings.IndexByte(kv, '='); i <= 0 || strings.IndexByte(kv, 0) >= 0 {
			return fmt.Errorf("sandbox: environment entry %q is not KEY=value", kv)
		}
	}
	for _, a := range s.Argv {
		if strings.IndexByte(a, 0) >= 0 {
			return errors.New("sandbox: an argument holds a NUL byte")
		}
	}
	if s.Dir != "" && !cleanAbs(s.Dir) {
		return fmt.Errorf("sandbox: working folder %q must be absolute and clean", s.Dir)
	}
	return nil
}

func cleanAbs(p string) bool {
	return filepath.IsAbs(p) && filepath.Clean(p) == p && p != "/" && strings.IndexByte(p, 0) < 0
}

// bubblewrap is the default backend.
type bubblewrap struct {
	scratch          string // this process's own folder, made on first use
	bwrap, mount, sh string
	version          string
	userns           bool // the mounts are made in a user namespace (we are not root)
	base             []string
	cgroups          cgroups
	runs             atomic.Int64

	etcOnce    sync.Once
	etcErr     error
	layersOnce sync.Once
	layers     []Layer
}
