package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"breakfix/internal/tree"
)

// cager is a server that makes children in cages by the shortest way.
const cager = `
import ctypes, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
control = socket.socket(fileno=os.dup(3))
def child(flags=0x20020000):
    got, fds, _, _ = socket.recv_fds(control, 1, 1)
    args = (ctypes.c_uint64 * 11)()
    args[0], args[4] = flags, 17
    if fds: args[0], args[10] = flags | 0x200000000, fds[0]
    header, caps = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc.capget(header, caps)
    caps[0] = caps[1]
    libc.capset(header, caps)
    pid = libc.syscall(435, args, ctypes.c_size_t(88))
    if pid < 0: raise OSError(ctypes.get_errno(), "clone3")
    if pid == 0:
        for i in range(4): os.fork()
        time.sleep(1000)
    for f in fds: os.close(f)
    return pid
`

// sendFD hands one descriptor, or none, to a server.
func sendFD(l *Live, f *os.File) error {
	var rights []byte
	if f != nil {
		rights = unix.UnixRights(int(f.Fd()))
	}
	_, _, err := l.Conn.WriteMsgUnix([]byte("x"), rights, nil)
	return err
}

func open(t *testing.T, b *bubblewrap, spec Spec) *Live {
	t.Helper()
	l, err := b.Open(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func line(t *testing.T, l *Live) string {
	t.Helper()
	l.Conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	var got []byte
	for one := make([]byte, 1); ; got = append(got, one[0]) {
		if _, err := l.Conn.Read(one); err != nil || one[0] == '\n' {
			if err != nil {
				t.Errorf("read after %q: %v", got, err)
			}
			return string(got)
		}
	}
}

func TestABoxThatStaysOpenSpeaksOverItsSocketUntilItIsClosed(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		l := open(t, b, Spec{Tree: onDisk(t, map[string]*tree.File{"a": tree.Text("of the tree\n")}), Argv: python(`
import os, socket, sys, time
s = socket.socket(fileno=3)
f = s.makefile("rwb", 0)
while True:
    f.write(b"%d %s %s" % (os.getpid(), f.readline().strip(), open("a", "rb").read()))
`)})
		for range 3 {
			l.Conn.Write([]byte("hello\n"))
			if got := line(t, l); got != "1 hello of the tree" {
				t.Errorf("it said %q", got)
			}
		}
		select {
		case <-l.Done():
			t.Error("it is done")
		default:
		}
		if b.cgroups.memory != "" && l.Peak() < 1<<20 {
			t.Errorf("peak %d", l.Peak())
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := l.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
		}
		wg.Wait()
		<-l.Done()
		if res, err := l.Result(); res.Stopped != Cancelled || !errors.Is(err, context.Canceled) {
			t.Errorf("%s %v", res.Stopped, err)
		}
		if _, err := l.Conn.Write([]byte("x")); err == nil {
			t.Error("its socket is open")
		}
		if c, err := l.Cage(); err == nil && c.File() != nil {
			t.Error("a box that is gone has a cage")
		}
		noneLeft(t, b)
	})
}

func TestABoxThatStaysOpenMayEndByItself(t *testing.T) {
	b := backends(t)["default"]
	l := open(t, b, Spec{Argv: shell("echo out; exit 5")})
	if res, err := l.Result(); err != nil || res.Stopped != Exited || res.Exit != 5 || string(res.Stdout) != "out\n" {
		t.Errorf("%s %d %q %v", res.Stopped, res.Exit, res.Stdout, err)
	}
	if _, err := l.Conn.Read(make([]byte, 1)); err == nil {
		t.Error("its socket speaks")
	}
	if err := l.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	l = open(t, b, Spec{Argv: python("import os, time; os.write(3, b'x\\n'); time.sleep(1000)")})
	line(t, l)
	for _, p := range boxesOf(os.Getpid()) {
		if strings.Contains(p, "python") {
			var pid int
			if _, err := fmt.Sscan(p, &pid); err == nil {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	if res, err := l.Result(); err != nil || res.Stopped != Signaled || res.Signal != int(syscall.SIGKILL) {
		t.Errorf("%s %d %v", res.Stopped, res.Signal, err)
	}
	l.Close()
	noneLeft(t, b)
}

func TestABoxThatCannotBeOpenedIsAnError(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	b := backends(t)["default"]
	before, _ := os.ReadDir("/proc/self/fd")
	if _, err := b.Open(context.Background(), Spec{}); err == nil {
		t.Error("opened without a command")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.Open(ctx, Spec{Argv: shell(":")}); !errors.Is(err, context.Canceled) {
		t.Errorf("opened after the end: %v", err)
	}
	l, err := b.Open(context.Background(), Spec{Argv: []string{"/no/such/program"}})
	if err == nil {
		if res, err := l.Result(); err == nil && res.Exit != 127 {
			t.Errorf("%s %d", res.Stopped, res.Exit)
		}
		l.Close()
	}
	if after, _ := os.ReadDir("/proc/self/fd"); len(after) > len(before) {
		t.Errorf("%d descriptors before, %d after", len(before), len(after))
	}
	noneLeft(t, b)
}

func TestACageIsKilledAloneAndRemoved(t *testing.T) {
	b := backends(t)["default"]
	if b.cgroups.unified == "" {
		t.Skip("no v2 control groups here")
	}
	l := open(t, b, Spec{Argv: python(cager + `
while True:
    pid = child()
    control.sendall(b"%d\n" % pid)
    control.sendall(b"%d\n" % os.waitpid(pid, 0)[1])
`)})
	for i := range 5 {
		c, err := l.Cage()
		if err != nil {
			t.Fatal(err)
		}
		if err := sendFD(l, c.File()); err != nil {
			t.Fatal(err)
		}
		line(t, l)
		if n := len(members(c.dir)); n == 0 {
			t.Error("nothing is in the cage")
		}
		if _, ok := c.CPU(); !ok {
			t.Error("its CPU time is not measured")
		}
		if i%2 == 0 {
			c.Kill()
		} else if err := c.Remove(); err != nil { // kills too
			t.Error(err)
		}
		if got := line(t, l); got != "9" {
			t.Errorf("the child ended as %s", got)
		}
		if err := c.Remove(); i%2 == 0 && err != nil {
			t.Errorf("remove: %v", err)
		}
		if _, err := os.Stat(c.dir); err == nil {
			t.Error("its group is there")
		}
	}
	if left, _ := filepath.Glob(l.group.unified + "/c[0-9]*"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	// One that is alive when the box is closed.
	c, err := l.Cage()
	if err != nil {
		t.Fatal(err)
	}
	sendFD(l, c.File())
	line(t, l)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	noneLeft(t, b)
	c.Kill()
	if err := c.Remove(); err != nil {
		t.Errorf("remove after the box: %v", err)
	}
}

// What makes cages may not do more than that: it cannot change its own view.
func TestABoxThatMakesCagesCannotOpenItself(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		l := open(t, b, Spec{Argv: python(cager + `
import errno
header, caps = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
libc.capget(header, caps)
caps[0] = caps[1]
libc.capset(header, caps)
out = []
def call(name, f, *a):
    ctypes.set_errno(0)
    r = f(*a)
    out.append("%s %s" % (name, errno.errorcode.get(ctypes.get_errno(), r)))
RDONLY, REMOUNT, BIND = 1, 32, 4096
call("mount", libc.mount, b"x", b"/tmp", b"tmpfs", 0, None)
call("remount", libc.mount, None, b"/usr", None, REMOUNT | BIND, None)
call("umount", libc.umount2, b"/tmp", 2)
call("unshare user", libc.unshare, 0x10000000)
call("unshare mount", libc.unshare, 0x00020000)
call("setns", libc.setns, os.open("/proc/self/ns/mnt", os.O_RDONLY), 0)
call("chroot", libc.chroot, b"/tmp")
call("sethostname", libc.sethostname, b"x", 1)
control.sendall((", ".join(out) + "\n").encode())
# In a mount namespace of its own, which is what a cage has.
args = (ctypes.c_uint64 * 11)()
args[0], args[4] = 0x00020000, 17
pid = libc.syscall(435, args, ctypes.c_size_t(88))
if pid == 0:
    out = []
    for at in (b"/", b"/usr", b"/etc", b"/proc", b"/dev", b"/cage.bpf"):
        call("remount " + at.decode(), libc.mount, None, at, None, REMOUNT | BIND, None)
    call("proc", libc.mount, b"proc", b"/tmp", b"proc", 0, None)
    call("sysfs", libc.mount, b"sysfs", b"/tmp", b"sysfs", 0, None)
    call("cgroup", libc.mount, b"cgroup2", b"/tmp", b"cgroup2", 0, None)
    call("tmpfs", libc.mount, b"x", b"/cage", b"tmpfs", 0, None)
    args[0] = 0x10000000
    call("user namespace", libc.syscall, 435, args, ctypes.c_size_t(88))
    control.sendall((", ".join(out) + "\n").encode())
    os._exit(0)
os.waitpid(pid, 0)
`)})
		if got, want := line(t, l), "mount EPERM, remount EPERM, umount EPERM, unshare user EPERM, unshare mount EPERM, setns EPERM, chroot EPERM, sethostname EPERM"; got != want {
			t.Errorf("the server:\n%s\nwant\n%s", got, want)
		}
		want := "remount / EPERM, remount /usr EPERM, remount /etc EPERM, remount /proc EPERM, remount /dev EPERM, remount /cage.bpf EPERM, proc EPERM, sysfs EPERM, cgroup EPERM, tmpfs 0, user namespace ENOSPC"
		if got := line(t, l); got != want {
			t.Errorf("its child:\n%s\nwant\n%s", got, want)
		}
	})
}

func TestACageThatWasLeftByADeadProcessIsRemoved(t *testing.T) {
	b := backends(t)["default"]
	parent := b.cgroups.unified
	if parent == "" {
		t.Skip("no v2 control groups here")
	}
	dead := filepath.Join(parent, boxPrefix+"999999999-1-1")
	if err := os.MkdirAll(dead+"/c1", 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(dead)
	defer os.Remove(dead + "/c1")
	sweepGroups(parent)
	if _, err := os.Stat(dead); err == nil {
		t.Error("it is there")
	}
}

func TestTwoSandboxesOfOneProcessHaveBoxesAtTheSameTime(t *testing.T) {
	server := Spec{Argv: python("import os, time; os.write(3, b'x\\n'); time.sleep(1000)")}
	for range 2 {
		b := backends(t)["default"]
		line(t, open(t, b, server))
		line(t, open(t, b, server))
	}
}
