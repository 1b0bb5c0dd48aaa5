package zygote

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"breakfix/internal/sandbox"
	"breakfix/internal/tree"
)

// held is what this process and the machine hold because of a server.
func held(t *testing.T) map[string]int {
	t.Helper()
	count := func(pattern string) int { l, _ := filepath.Glob(pattern); return len(l) }
	fds, _ := os.ReadDir("/proc/self/fd")
	mounts, _ := os.ReadFile("/proc/self/mounts")
	return map[string]int{
		"descriptors": len(fds), "goroutines": runtime.NumGoroutine(), "mounts": strings.Count(string(mounts), "\n"), "processes": len(descendants(os.Getpid())),
		"v2 groups": count("/sys/fs/cgroup/unified/*/*/") + count("/sys/fs/cgroup/*/*/") - count("/sys/fs/cgroup/unified/*/"),
	}
}

// insides counts what the warm process holds.
const insides = `
import gc, os
ipc = [len(open("/proc/sysvipc/" + n).readlines()) for n in ("shm", "sem", "msg")]
result = (sorted(os.listdir("/proc/self/fd")), [p for p in os.listdir("/proc") if p.isdigit()], open("/proc/self/mountinfo").read().count("\n"), os.listdir("/tmp"), os.listdir("/dev/shm"), os.listdir("/cage"), ipc,
    [l for l in open("/proc/self/status") if l.startswith(("Cap", "SigBlk", "SigPnd", "Threads"))])
`

func TestAThousandRequestsLeakNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := serve(t, sandbox.Limits{})
	requests := []struct {
		req  Request
		code string
		kill bool
	}{
		{Request{}, `say(1)`, false},
		{Request{Network: true}, `import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()`, false},
		{Request{Init: true}, `os._exit(3)`, false},
		{Request{Changes: map[string]*tree.File{"a.txt": nil, "new/x": tree.Text("x"), "pkg/one.py": link("two.py")}}, `open("/tmp/x", "w").write("x")`, false},
		{Request{Init: true}, "import time\nfor i in range(4):\n    if os.fork() == 0: os.setsid(); time.sleep(1000)", false},
		{Request{}, `import time; time.sleep(1000)`, true},
		{Request{Changes: map[string]*tree.File{"../x": nil}}, ``, false},                                                        // refused
		{Request{Scratch: 1, Changes: map[string]*tree.File{"big": {Kind: tree.Regular, Data: make([]byte, 1<<16)}}}, ``, false}, // no room: a fault
		{Request{}, `os.kill(os.getpid(), 11)`, false},
		{Request{}, `import ctypes; ctypes.CDLL(None).shmget(0, 1 << 20, 0o1600); open("/dev/shm/x", "w").write("x")`, false},
	}
	round := func() {
		for _, r := range requests {
			ctx, cancel := context.WithCancel(context.Background())
			if r.kill {
				time.AfterFunc(2*time.Millisecond, cancel)
			}
			_, _, err := try(t, ctx, s, r.req, r.code)
			cancel()
			if _, refused := err.(*RefusedError); err != nil && !refused {
				t.Fatalf("the server is lost: %v", err)
			}
		}
	}
	for range 3 { // what is made once
		round()
	}
	here, there := held(t), inServer(t, s, insides)
	for s.Runs() < 1030 {
		round()
	}
	for what, n := range held(t) {
		if n > here[what] {
			t.Errorf("%s: %d before, %d after", what, here[what], n)
		}
	}
	if got := inServer(t, s, insides); got != there {
		t.Errorf("the warm process held\n%s\nand holds\n%s", there, got)
	}
	s.Close()
	after := held(t)
	if after["processes"] != 0 {
		t.Errorf("after the end: %v", descendants(os.Getpid()))
	}
}
