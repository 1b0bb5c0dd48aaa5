package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"breakfix/internal/tree"
)

// python runs a program inside; what it prints is what a test looks at.
func python(program string) []string { return []string{"/usr/bin/python3", "-c", program} }

func shell(program string) []string { return []string{"/bin/sh", "-c", program} }

// backends are the ways in which a box can be made on this machine. Those that
// isolate less than the default must keep the same promises.
func backends(t *testing.T) map[string]*bubblewrap {
	t.Helper()
	all := map[string]*bubblewrap{}
	open := func(name string, change func(*bubblewrap)) {
		box, err := New(Options{Scratch: t.TempDir()})
		if err != nil {
			t.Fatalf("no box on this machine: %v", err)
		}
		b := box.(*bubblewrap)
		change(b)
		all[name] = b
	}
	open("default", func(*bubblewrap) {})
	open("user namespace", func(b *bubblewrap) { b.userns = true })
	if b := all["default"]; b.cgroups.pids != "" {
		open("v1 cgroups only", func(b *bubblewrap) { b.cgroups.unified = "" })
	}
	open("no cgroups", func(b *bubblewrap) { b.cgroups = cgroups{} })
	return all
}

// onEach runs a test on every backend.
func onEach(t *testing.T, test func(t *testing.T, b *bubblewrap)) {
	t.Helper()
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) { test(t, b) })
	}
}

func run(t *testing.T, b Sandbox, spec Spec) Result {
	t.Helper()
	res, err := b.Run(context.Background(), spec)
	if err != nil {
		t.Fatalf("run %q: %v", spec.Argv, err)
	}
	return res
}

// says runs a command that must end with exit code 0 and returns its output.
func says(t *testing.T, b Sandbox, spec Spec) string {
	t.Helper()
	res := run(t, b, spec)
	if res.Stopped != Exited || res.Exit != 0 {
		t.Fatalf("ended as %s %d\n%s\n%s", res.Stopped, res.Exit, res.Stdout, res.Stderr)
	}
	return strings.TrimSpace(string(res.Stdout))
}

func files(t *testing.T, m map[string]*tree.File) *tree.Tree {
	t.Helper()
	tr, err := tree.FromFiles(m)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func onDisk(t *testing.T, m map[string]*tree.File) *tree.Tree {
	t.Helper()
	dir := t.TempDir()
	if err := files(t, m).WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	tr, err := tree.FromDir(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// ---- information

func TestTheEnvironmentIsTheAllowListAndNothingElse(t *testing.T) {
	t.Setenv("BREAKFIX_SECRET", "leaked-by-environment")
	onEach(t, func(t *testing.T, b *bubblewrap) {
		out := says(t, b, Spec{Env: []string{"A=1", "B=x y=z"}, Argv: python(`
import os
print(sorted(os.environ.items()))
for p in os.listdir("/proc"):
    if p.isdigit():
        try: e = open(f"/proc/{p}/environ","rb").read()
        except OSError: continue
        if b"leak"+b"ed" in e or b"breakfix-"+b"box" in e: print("LEAK", p, e)
        c = open(f"/proc/{p}/cmdline","rb").read()
        if b"breakfix-"+b"box" in c: print("LEAK", p, c)
`)})
		want := `[('A', '1'), ('B', 'x y=z'), ('HOME', '/tmp/home'), ('LC_CTYPE', 'C.UTF-8'), ('PWD', '/work')]`
		if out != want {
			t.Errorf("environment inside:\n%s\nwant\n%s", out, want)
		}
	})
}

func TestNoDescriptorOfTheHostIsInherited(t *testing.T) {
	// Without close-on-exec, as a shell would hand one to breakfix.
	var p [2]int
	if err := syscall.Pipe(p[:]); err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(p[0])
	defer syscall.Close(p[1])
	list := python(`
import os
have = []
for f in range(1000):
    try: os.fstat(f); have.append(f)
    except OSError: pass
print(have)`)
	onEach(t, func(t *testing.T, b *bubblewrap) {
		if got := says(t, b, Spec{Argv: list}); got != "[0, 1, 2]" {
			t.Errorf("descriptors inside: %s", got)
		}
		if got := says(t, b, Spec{Argv: list, Report: &bytes.Buffer{}, Secret: []byte("s")}); got != "[0, 1, 2, 3, 4]" {
			t.Errorf("descriptors inside with report and secret: %s", got)
		}
	})
}

func TestNothingOfTheHostsFilesIsReadable(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	home, _ := os.UserHomeDir()
	here, _ := os.Getwd()
	onEach(t, func(t *testing.T, b *bubblewrap) {
		out := says(t, b, Spec{Argv: append(python(`
import os, sys
for p in sys.argv[1:]:
    if os.path.lexists(p): print("SEEN", p)
    for q in os.listdir("/proc"):
        if q.isdigit():
            for l in ("root", "cwd"):
                try:
                    if os.path.lexists(f"/proc/{q}/{l}{p}"): print("SEEN", q, l, p)
                except OSError: pass
print(sorted(os.listdir("/")))
`), secret, home, here, b.scratch, "/etc/shadow", "/etc/ssl/private", "/var", "/run", "/sys", "/root", "/boot", "/dev/kmsg", "/dev/mem", "/proc/1/root/etc/shadow")})
		if strings.Contains(out, "SEEN") {
			t.Errorf("visible inside:\n%s", out)
		}
	})
}

func TestProcessesOfTheHostAreInvisibleAndCannotBeTraced(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		out := says(t, b, Spec{Argv: append(python(`
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
print(max(int(p) for p in os.listdir("/proc") if p.isdigit()) < 20)
print(libc.ptrace(16, 1, 0, 0), os.strerror(ctypes.get_errno()))
try: os.kill(int(sys.argv[1]), 0); print("host process reached")
except ProcessLookupError: print("no such process")
`), fmt.Sprint(os.Getpid()))})
		want := "True\n-1 Operation not permitted\nno such process"
		if diff := cmp.Diff(want, out); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMountsChrootAndNamespacesAreRefused(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		out := says(t, b, Spec{Argv: python(`
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *a):
    ctypes.set_errno(0)
    r = getattr(libc, name)(*a)
    print(name, r, os.strerror(ctypes.get_errno()))
call("mount", b"x", b"/tmp", b"tmpfs", 0, None)
call("chroot", b"/tmp")
call("unshare", 0x10000000)
call("unshare", 0x00020000)
call("umount2", b"/usr", 2)
call("setuid", 0)
`)})
		want := "mount -1 Operation not permitted\nchroot -1 Operation not permitted\nunshare -1 Operation not permitted\n" +
			"unshare -1 Operation not permitted\numount2 -1 Operation not permitted\nsetuid -1 Invalid argument"
		if diff := cmp.Diff(want, out); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDangerousSystemCallsAreFiltered(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("no filter for this architecture")
	}
	type call struct {
		name string
		nr   int
	}
	calls := []call{{"io_uring_setup", unix.SYS_IO_URING_SETUP}, {"userfaultfd", unix.SYS_USERFAULTFD}, {"keyctl", unix.SYS_KEYCTL},
		{"add_key", unix.SYS_ADD_KEY}, {"bpf", unix.SYS_BPF}, {"perf_event_open", unix.SYS_PERF_EVENT_OPEN}, {"syslog", unix.SYS_SYSLOG},
		{"open_by_handle_at", unix.SYS_OPEN_BY_HANDLE_AT}, {"clock_settime", unix.SYS_CLOCK_SETTIME}}
	var program, want strings.Builder
	program.WriteString("import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\n")
	for _, c := range calls {
		fmt.Fprintf(&program, "print(%q, libc.syscall(%d, 0, 0, 0, 0, 0), errno.errorcode[ctypes.get_errno()])\n", c.name, c.nr)
		fmt.Fprintf(&want, "%s -1 EPERM\n", c.name)
	}
	fmt.Fprintf(&program, "print('clone3', libc.syscall(%d, 0, 0), errno.errorcode[ctypes.get_errno()])\n", unix.SYS_CLONE3)
	want.WriteString("clone3 -1 ENOSYS")
	onEach(t, func(t *testing.T, b *bubblewrap) {
		if diff := cmp.Diff(want.String(), says(t, b, Spec{Argv: python(program.String())})); diff != "" {
			t.Error(diff)
		}
	})
}

func TestKernelSettingsCannotBeWritten(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		out := says(t, b, Spec{Argv: python(`
import os
for p in "/proc/sys/vm/swappiness", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/1/oom_score_adj", "/proc/self/uid_map", "/proc/kmsg", "/proc/kcore":
    try: os.open(p, os.O_WRONLY); print("WRITABLE", p)
    except OSError: pass
try: os.open("/proc/kmsg", os.O_RDONLY); print("READABLE kmsg")
except OSError: pass
print("done")
`)})
		if out != "done" {
			t.Error(out)
		}
	})
}

func TestTheUserInsideIsNotRoot(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		tr := onDisk(t, map[string]*tree.File{"closed": tree.Text("x")})
		out := says(t, b, Spec{Tree: tr, Argv: shell(`id -u; id -un; chmod 000 closed; cat closed 2>/dev/null || echo refused; hostname; grep CapEff /proc/self/status`)})
		want := "1000\nbreakfix\nrefused\nbreakfix\nCapEff:\t0000000000000000"
		if diff := cmp.Diff(want, out); diff != "" {
			t.Error(diff)
		}
	})
}

// ---- network

func TestTheNetworkIsTheBoxsOwnLoopbackOnly(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	abstract, err := net.Listen("unix", fmt.Sprintf("@breakfix-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer abstract.Close()
	onEach(t, func(t *testing.T, b *bubblewrap) {
		out := says(t, b, Spec{Argv: append(python(`
import socket, sys
def reach(name, family, address):
    s = socket.socket(family); s.settimeout(2)
    try: s.connect(address); print("REACHED", name)
    except OSError: pass
reach("host loopback", socket.AF_INET, ("127.0.0.1", int(sys.argv[1])))
reach("abstract socket", socket.AF_UNIX, "\0" + sys.argv[2])
reach("metadata", socket.AF_INET, ("169.254.169.254", 80))
reach("internet", socket.AF_INET, ("1.1.1.1", 443))
try: socket.getaddrinfo("pypi.org", 443); print("REACHED dns")
except OSError: pass
for f in 40, 38, 29:
    try: socket.socket(f, socket.SOCK_STREAM); print("SOCKET", f)
    except OSError: pass
a = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(a.getsockname()); print("own loopback")
a = socket.create_server(("localhost", 0)); print("name of loopback")
`), fmt.Sprint(l.Addr().(*net.TCPAddr).Port), strings.TrimPrefix(abstract.Addr().String(), "@"))})
		if diff := cmp.Diff("own loopback\nname of loopback", out); diff != "" {
			t.Error(diff)
		}
	})
}

func TestInstallingMayUseTheNetwork(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	onEach(t, func(t *testing.T, b *bubblewrap) {
		says(t, b, Spec{Network: true, Argv: append(python("import socket,sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"), fmt.Sprint(l.Addr().(*net.TCPAddr).Port))})
	})
}

// ---- resources

func TestAForkBombIsBoundedAndLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		if !b.cgroups.limitsPids() && os.Geteuid() == 0 {
			t.Skip("root without a pids cgroup has no limit on processes; Layers says so")
		}
		res := run(t, b, Spec{Limits: Limits{Pids: 40, Wall: 20 * time.Second}, Argv: python(`
import os, time
n = 0
try:
    while n < 2000:
        if os.fork() == 0: os.setsid(); time.sleep(100)
        n += 1
except OSError: pass
print(n)
`)})
		var n int
		fmt.Sscan(string(res.Stdout), &n)
		if n < 5 || n >= 40 {
			t.Errorf("%d processes were made under a limit of 40: %s %s", n, res.Stopped, res.Stderr)
		}
	})
}

func TestMemoryOverManyProcessesIsBounded(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		if !b.cgroups.limitsMemory() {
			t.Skip("without a memory cgroup the limit is one of single processes; Layers says so")
		}
		res := run(t, b, Spec{Limits: Limits{Memory: 128 << 20, Wall: 30 * time.Second}, Argv: python(`
import os, time
for i in range(4):
    if os.fork() == 0:
        x = bytearray(60 << 20)
        for j in range(0, len(x), 4096): x[j] = 1
        time.sleep(1); os._exit(0)
for i in range(4): os.wait()
`)})
		if res.Stopped != Memory {
			t.Errorf("ended as %s %d, peak %d MiB", res.Stopped, res.Exit, res.PeakMemory>>20)
		}
		if res.PeakMemory > 129<<20 {
			t.Errorf("used %d MiB of 128", res.PeakMemory>>20)
		}
	})
}

func TestMemoryOfOneProcessIsBoundedOnEveryBackend(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		res := run(t, b, Spec{Limits: Limits{Memory: 128 << 20, Wall: 30 * time.Second}, Argv: python(`
x = bytearray(400 << 20)
for j in range(0, len(x), 4096): x[j] = 1
print("had it all")
`)})
		if strings.Contains(string(res.Stdout), "had it all") {
			t.Errorf("400 MiB under a limit of 128: %s", res.Stopped)
		}
	})
}

func TestEveryWritablePlaceIsBoundedInBytesAndFiles(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		tr := onDisk(t, map[string]*tree.File{"a": tree.Text("x")})
		out := says(t, b, Spec{Tree: tr, Limits: Limits{Scratch: 8 << 20, Inodes: 300}, Argv: python(`
import os
def fill(d):
    n = 0
    try:
        with open(d + "/big", "wb", buffering=0) as f:
            while n < 64: f.write(b"x" * (1 << 20)); n += 1
    except OSError: pass
    if os.path.exists(d + "/big"): os.remove(d + "/big")
    k = 0
    try:
        while k < 2000: open(f"{d}/f{k}", "w").close(); k += 1
    except OSError: pass
    for i in range(k): os.remove(f"{d}/f{i}")
    return n <= 8 and k <= 300
for d in "/work", "/tmp", "/dev/shm": print(d, fill(d), os.access(d, os.W_OK))
seen = []
for line in open("/proc/self/mountinfo"):
    at = line.split()[4]
    try: open(at + "/probe", "w").close() if os.path.isdir(at) else 1/0; seen.append(at)
    except (OSError, ZeroDivisionError): pass
print(sorted(seen))
`)})
		want := "/work True True\n/tmp True True\n/dev/shm True True\n['/dev/shm', '/tmp', '/work']"
		if diff := cmp.Diff(want, out); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheDeadlineKillsASpinnerThatIgnoresSignals(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		res := run(t, b, Spec{Limits: Limits{Wall: 400 * time.Millisecond}, Argv: python(`
import signal, os, time
for s in range(1, 65):
    try: signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError): pass
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(1000)
    time.sleep(1000)
while True: pass
`)})
		if res.Stopped != Deadline {
			t.Errorf("ended as %s %d", res.Stopped, res.Exit)
		}
		noneLeft(t, b)
	})
}

func TestTheCPULimitEndsASpinner(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		res := run(t, b, Spec{Limits: Limits{CPU: time.Second, Wall: 60 * time.Second}, Argv: python("while True: pass")})
		if res.Stopped != Deadline || res.Wall > 30*time.Second {
			t.Errorf("ended as %s %d after %s", res.Stopped, res.Exit, res.Wall)
		}
	})
}

func TestDaemonsDieWithTheCommand(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		says(t, b, Spec{Argv: python(`
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 10)
        time.sleep(1000)
    os._exit(0)
`)})
		noneLeft(t, b)
	})
}

func TestAStoppedChildEndsAtTheDeadline(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		res := run(t, b, Spec{Limits: Limits{Wall: 300 * time.Millisecond}, Argv: python("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")})
		if res.Stopped != Deadline {
			t.Errorf("ended as %s %d", res.Stopped, res.Exit)
		}
		noneLeft(t, b)
	})
}

func TestAFloodOfOutputIsCutAndDoesNotBlock(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		res := run(t, b, Spec{Limits: Limits{Output: 1000}, Argv: python(`
import os, sys
for i in range(64): os.write(1, b"x" * (1 << 20)); os.write(2, b"\x00\xff\x1b" * 1000)
sys.exit(3)
`)})
		if res.Stopped != Exited || res.Exit != 3 || len(res.Stdout) != 1000 || len(res.Stderr) != 1000 || !res.Truncated {
			t.Errorf("%s %d, %d and %d bytes, truncated %v", res.Stopped, res.Exit, len(res.Stdout), len(res.Stderr), res.Truncated)
		}
	})
}

func TestNoCoreIsDumped(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		upper := filepath.Join(t.TempDir(), "upper")
		res := run(t, b, Spec{Upper: upper, Argv: python("import os; os.abort()")})
		if res.Stopped != Signaled || res.Signal != int(syscall.SIGABRT) {
			t.Errorf("ended as %s %d", res.Stopped, res.Signal)
		}
		left, err := os.ReadDir(upper)
		if err != nil || len(left) != 0 {
			t.Errorf("left %v, %v", left, err)
		}
	})
}

func TestCancellingLeavesNothingRunning(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		for _, after := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 200 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(context.Background(), after)
			res, err := b.Run(ctx, Spec{Argv: shell("sleep 1000 & sleep 1000")})
			cancel()
			if res.Stopped != Cancelled || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("cancelled after %s: %s, %v", after, res.Stopped, err)
			}
		}
		noneLeft(t, b)
	})
}

// noneLeft looks for processes, cgroups and folders of the backend's runs.
func noneLeft(t *testing.T, b *bubblewrap) {
	t.Helper()
	if left, _ := os.ReadDir(b.scratch); len(left) != 1 || left[0].Name() != "etc" {
		t.Errorf("folders are left: %v", left)
	}
	if text, _ := os.ReadFile("/proc/self/mounts"); strings.Contains(string(text), b.scratch) {
		t.Errorf("mounts are left")
	}
	for _, parent := range []string{b.cgroups.unified, b.cgroups.memory, b.cgroups.pids} {
		if parent == "" {
			continue
		}
		if left, _ := filepath.Glob(filepath.Join(parent, b.cgroups.name+"*")); len(left) > 0 {
			t.Errorf("cgroups are left: %v", left)
		}
	}
	if left := boxesOf(os.Getpid()); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
}

// boxesOf lists the descendants of a process that run bubblewrap or what it
// started: they have a mount namespace of their own.
func boxesOf(pid int) []string {
	parent, name := map[int]int{}, map[int]string{}
	dirs, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range dirs {
		text, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		s := string(text)
		var p, pp int
		var state string
		open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
		fmt.Sscan(s[:open], &p)
		fmt.Sscan(s[end+1:], &state, &pp)
		parent[p], name[p] = pp, s[open:end+1]
	}
	var found []string
	for p := range parent {
		for q := parent[p]; q > 1; q = parent[q] {
			if q == pid {
				found = append(found, fmt.Sprint(p, name[p]))
				break
			}
		}
	}
	return found
}
