package zygote

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/sandbox"
	"breakfix/internal/tree"
)

// status reads the lines of /proc/self/status that tell privileges.
const status = `
for l in open("/proc/self/status"):
    k, v = l.split(":", 1)
    if k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Uid"): say(k, v.split()[0])
`

func TestAChildHasNoCapabilityAndTheFilterOfOrdinaryBoxes(t *testing.T) {
	none := "0000000000000000"
	want := strings.Join([]string{"Uid 1000", "CapInh " + none, "CapPrm " + none, "CapEff " + none, "CapBnd " + none, "CapAmb " + none, "NoNewPrivs 1", "Seccomp 2"}, "\n")
	s := serve(t, sandbox.Limits{})
	for _, req := range []Request{{}, {Init: true}, {Network: true}, {Init: true, Network: true}} {
		if diff := cmp.Diff(want, says(t, s, req, status)); diff != "" {
			t.Errorf("%+v: %s", req, diff)
		}
		if diff := cmp.Diff(want, says(t, s, req, `
import subprocess
say(subprocess.run([sys.executable, "-c", """
def say(*a): print(*a)
`+status+`"""], capture_output=True, text=True).stdout.strip())
`)); diff != "" {
			t.Errorf("a program that is started, %+v: %s", req, diff)
		}
	}
}

func TestTheWarmProcessItselfHoldsThreeCapabilitiesAndNoneInForce(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	lives(t, s)
	got := inServer(t, s, `
said = []
def say(*a): said.append(" ".join(a))
`+status+`
result = "\n".join(said)`)
	none := "0000000000000000"
	want := strings.Join([]string{"Uid 1000", "CapInh " + none, "CapPrm 0000000000201002", "CapEff " + none, "CapBnd " + none, "CapAmb " + none, "NoNewPrivs 1", "Seccomp 2"}, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// calls tries what a process must not be able to do.
const calls = `
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(name, number, *a):
    ctypes.set_errno(0)
    r = libc.syscall(ctypes.c_long(number), *a)
    say(name, errno.errorcode.get(ctypes.get_errno(), r))
arm = os.uname().machine == "aarch64"
args = (ctypes.c_uint64 * 11)()
args[4] = 17
call("clone3", 435, args, ctypes.c_size_t(88))
for name, flag in (("user", 0x10000000), ("mount", 0x00020000), ("pid", 0x20000000), ("net", 0x40000000), ("ipc", 0x08000000)):
    call("unshare " + name, 97 if arm else 272, ctypes.c_ulong(flag))
    call("clone " + name, 220 if arm else 56, ctypes.c_ulong(flag | 17), 0, 0, 0, 0)
fd = os.open("/proc/self/ns/mnt", os.O_RDONLY)
call("setns", 268 if arm else 308, fd, 0)
os.close(fd)
call("ptrace", 117 if arm else 101, 16, 1, 0, 0)
call("read memory", 270 if arm else 310, 1, None, 0, None, 0, 0)
call("chroot", 51 if arm else 161, b"/tmp")
call("pivot_root", 41 if arm else 155, b"/tmp", b"/tmp")
call("umount", 39 if arm else 166, b"/work", 2)
call("open_tree", 428, -100, b"/usr", 1)
call("mount_setattr", 442, -100, b"/usr", 0, None, 0)
mount = 40 if arm else 165
call("mount tmpfs", mount, b"x", b"/tmp", b"tmpfs", 0, None)
for at in (b"/", b"/usr", b"/work", b"/probe/program.py", b"/proc", b"/etc", b"/cage.bpf"):
    call("remount " + at.decode(), mount, None, at, None, 4096 | 32, None)
class Header(ctypes.Structure): _fields_ = [("v", ctypes.c_uint32), ("pid", ctypes.c_int)]
call("capset", 91 if arm else 126, ctypes.byref(Header(0x20080522, 0)), (ctypes.c_uint32 * 6)(0x201002, 0x201002, 0, 0, 0, 0))
`

func TestAChildCanMakeNoNamespaceAndNoMount(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	for _, req := range []Request{{}, {Init: true, Network: true}} {
		for _, line := range strings.Split(says(t, s, req, calls), "\n") {
			want := "EPERM"
			if strings.HasPrefix(line, "clone3 ") {
				want = "ENOSYS"
			}
			if !strings.HasSuffix(line, " "+want) {
				t.Errorf("%+v: %s", req, line)
			}
		}
	}
	lives(t, s)
}

func TestNothingButTheTreeAndTheScratchFoldersTakesWrites(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	got := says(t, s, Request{}, `
for at in ("/", "/usr", "/usr/bin", "/etc", "/probe", "/proc", "/proc/self", "/dev", "/lib", "/cage.bpf", "/probe/program.py", "/proc/self/oom_score_adj", "/proc/sys/kernel/hostname", "/tmp", "/dev/shm", "/work", "/work/pkg"):
    try:
        if os.path.isdir(at): open(at + "/probe-file", "w").close()
        else: open(at, "r+").write("1")
        say("wrote", at)
    except OSError: pass
for root, folders, files in os.walk("/"):
    if root.startswith(("/proc/", "/usr/share")): folders[:] = []; continue
    if os.access(root, os.W_OK) and not root.startswith(("/tmp", "/dev/shm", "/work", "/cage", "/dev/pts")): say("writable", root)
`)
	want := "wrote /tmp\nwrote /dev/shm\nwrote /work\nwrote /work/pkg"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAChildReachesNeitherTheServerNorItsDescriptorsNorTheControlGroups(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	for _, req := range []Request{{}, {Init: true}} {
		got := says(t, s, req, `
have = []
for f in range(4096):
    try: os.fstat(f); have.append(f)
    except OSError: pass
low = [f for f in have if f < 3]
kinds = [os.readlink("/proc/self/fd/%d" % f).split(":")[0] for f in have if f > 2]
say(low, kinds)
import subprocess
say(subprocess.run([sys.executable, "-c", "import os; print(os.listdir('/proc/self/fd'))"], capture_output=True, text=True, close_fds=False).stdout.strip())
def group(p): return open("/proc/%s/status" % p).read().split("NSpid:")[1].split("\n")[0].split()
outside = [p for p in os.listdir("/proc") if p.isdigit() and len(group(p)) == 1]
say(outside)
for p in outside:
    for name in ("mem", "environ", "maps", "fd/0", "fd/210", "root", "cwd", "exe", "ns/mnt", "map_files", "io"):
        at = "/proc/%s/%s" % (p, name)
        try:
            if name == "map_files": os.listdir(at)
            elif name == "mem": open(at, "r+b")
            elif name in ("environ", "maps", "io"): open(at, "rb").read(1)
            else: os.stat(at)
            say("reached", at)
        except OSError: pass
for l in open("/proc/self/cgroup"):
    at = l.strip().split(":", 2)[2]
    if "breakfix" in at: say("group", at)
for l in open("/proc/self/mountinfo"):
    if " - cgroup" in l: say("mounted", l)
say(os.path.exists("/sys"))
`)
		if want := "[0, 1, 2] ['pipe']\n['0', '1', '2', '3']\n[]\nFalse"; got != want {
			t.Errorf("%+v: said\n%s\nwant\n%s", req, got, want)
		}
	}
}

func TestProcSelfIsTheChild(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	if got := says(t, s, Request{}, `say(os.readlink("/proc/1/cwd"), sorted(os.listdir("/proc/1/fd")) == sorted(os.listdir("/proc/self/fd")), open("/proc/%d/stat" % os.getpid()).read().split()[0] == os.readlink("/proc/self"))`); got != "/work True True" {
		t.Errorf("at its own number: %q", got)
	}
	for _, req := range []Request{{}, {Init: true}} {
		got := says(t, s, req, `
import threading
say(open("/proc/self/stat").read() != "", os.readlink("/proc/self/cwd"), os.path.basename(os.readlink("/proc/self/exe"))[:6], open("/proc/self/cmdline").read().split("\0")[1])
def look(): say(len(os.listdir("/proc/self/task")), os.path.exists("/proc/thread-self/stat"))
t = threading.Thread(target=look); t.start(); t.join()
os.kill(os.getpid(), 0)
`)
		if want := "True /work python /probe/program.py\n2 True"; got != want {
			t.Errorf("%+v: %q, want %q", req, got, want)
		}
	}
}

const network = `
import socket
def reach(family, at):
    s = socket.socket(family); s.settimeout(1)
    try: s.connect(at); return "connected"
    except OSError as e: return type(e).__name__ if e.errno is None else e.strerror
    finally: s.close()
say(sorted(n for _, n in socket.if_nameindex()))
l = socket.socket(); l.bind(("127.0.0.1", 0)); l.listen()
say("own loopback", reach(socket.AF_INET, l.getsockname()))
say("metadata", reach(socket.AF_INET, ("169.254.169.254", 80)))
say("outside", reach(socket.AF_INET, ("192.0.2.1", 80)))
say("host", reach(socket.AF_INET, ("127.0.0.1", int(os.environ["PORT"]))))
say("abstract", reach(socket.AF_UNIX, "\0" + os.environ["NAME"]))
try: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); say("raw socket")
except OSError as e: say("raw", e.strerror)
try: socket.socket(40, socket.SOCK_STREAM); say("vsock")
except OSError as e: say("vsock", e.strerror)
`

func TestTheNetworkOfAChildIsALoopbackOnly(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	name := "breakfix-test-" + filepath.Base(t.TempDir()) + l.Addr().String()
	u, err := net.Listen("unix", "@"+name)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s := serve(t, sandbox.Limits{}, "PORT="+port, "NAME="+name)
	want := `['lo']
own loopback connected
metadata Network is unreachable
outside Network is unreachable
host Connection refused
abstract Connection refused
raw Operation not permitted
vsock Address family not supported by protocol`
	for _, req := range []Request{{}, {Network: true}, {Network: true, Init: true}} {
		if diff := cmp.Diff(want, says(t, s, req, network)); diff != "" {
			t.Errorf("network %v: %s", req.Network, diff)
		}
	}
}

func TestWithNetworkAChildHasItsOwnLoopback(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	of := func(req Request) string { return says(t, s, req, `say(os.readlink("/proc/self/ns/net"))`) }
	box := inServer(t, s, `import os; result = os.readlink("/proc/self/ns/net")`)
	if got := of(Request{}); got != box {
		t.Errorf("without Network a child is in %s, its box in %s", got, box)
	}
	if got := of(Request{Network: true}); got == box {
		t.Error("with Network a child is in the network of its box")
	}
}

func TestAProcessThatCannotBeForkedFaithfullyIsNotForked(t *testing.T) {
	for prelude, why := range map[string]string{
		"import subprocess; subprocess.Popen(['sleep', '1000'])":                                                   "it has child processes",
		"import subprocess; subprocess.run(['sh', '-c', 'setsid sleep 1000 &'])":                                   "it has child processes",
		"import threading, time; threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()":           "it has threads",
		"import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)":                                             "it handles the end of child processes itself",
		"import os; pid = os.fork(); pid and os.waitpid(pid, 0) and os._exit(0)":                                   "it forked",
		"import subprocess, time; keep = subprocess.Popen(['true']); time.sleep(0.2) # a zombie harms nobody, nor": "",
		"import subprocess; subprocess.run(['true'])":                                                              "",
	} {
		s, _, err := Start(context.Background(), keeper(t), specOf(t, sandbox.Limits{}, "PRELUDE="+prelude), 20*time.Second)
		var unfit *UnfitError
		switch {
		case err == nil:
			if lives(t, s); why != "" {
				t.Errorf("%s: it serves", prelude)
			}
			s.Close()
		case !errors.As(err, &unfit) || unfit.Why != why:
			t.Errorf("%s: %s", prelude, explain(err))
		}
	}
}

func TestFunctionsThatTheTargetPatchesChangeNoCage(t *testing.T) {
	s := serve(t, sandbox.Limits{}, `PRELUDE=
import select, signal
def patched(*a, **k): raise RuntimeError("patched")
for name in ("fork", "wait", "wait4", "open", "close", "mkdir", "makedirs", "mknod", "symlink", "chdir", "umask", "setsid", "readlink", "listdir", "kill", "pidfd_open", "write", "_exit"): setattr(os, name, patched)
select.poll = signal.pthread_sigmask = signal.valid_signals = patched
`)
	changes := map[string]*tree.File{"new/deep/f": tree.Text("f"), "l": link("a.txt"), "b.txt": nil, "pkg/one.py": nil}
	for _, req := range []Request{{Changes: changes}, {Changes: changes, Init: true, Network: true}} {
		if got := says(t, s, req, `say(open("new/deep/f").read(), open("l").read().strip(), os.path.exists("b.txt"), os.path.exists("pkg/one.py"))`); got != "f a False False" {
			t.Errorf("said %q", got)
		}
	}
}
