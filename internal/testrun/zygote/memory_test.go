package zygote

import (
	"syscall"
	"testing"

	"breakfix/internal/sandbox"
)

// ballast makes the warm process larger than each process of a bomb.
const ballast = "PRELUDE=ballast = bytearray(b'x') * (150 << 20)"

func TestAMemoryBombKillsTheChildAndIsTold(t *testing.T) {
	k := keeper(t)
	if !active(k, "memory cgroup") {
		t.Skip("memory is bounded for single processes here")
	}
	s := serveIn(t, k, specOf(t, sandbox.Limits{Memory: 400 << 20}, ballast))
	for _, init := range []bool{false, true} {
		for range 3 {
			h, exit := do(t, s, Request{Init: init}, `
keep = []
while True: keep.append(bytearray(b"x") * (10 << 20))`)
			if !exit.Memory || exit.Signal != int(syscall.SIGKILL) || h.done {
				t.Errorf("init %v: %+v", init, exit)
			}
			if _, exit := do(t, s, Request{Init: init}, `say("alive")`); exit.Memory || exit.Status != 0 {
				t.Errorf("the next child: %+v", exit)
			}
		}
	}
}

func TestTheWarmProcessIsSparedWhenManySmallProcessesFillTheMemory(t *testing.T) {
	k := keeper(t)
	if !active(k, "memory cgroup") {
		t.Skip("memory is bounded for single processes here")
	}
	s := serveIn(t, k, specOf(t, sandbox.Limits{Memory: 400 << 20}, ballast))
	for _, init := range []bool{false, true} {
		// As another program: a forked child counts the memory that it shares
		// with the warm process.
		_, exit := do(t, s, Request{Init: init}, `
os.execv(sys.executable, [sys.executable, "-c", """
import os, time
for i in range(30):
    if os.fork() == 0:
        x = bytearray(b'x') * (20 << 20)
        time.sleep(1000)
time.sleep(0.5)
"""])`)
		if !exit.Memory {
			t.Errorf("init %v: %+v", init, exit)
		}
		lives(t, s)
	}
	if got := inServer(t, s, `result = open("/proc/self/oom_score_adj").read().strip()`); got == "1000" {
		t.Error("the warm process is as likely to be taken as its children")
	}
}

func TestWhatFillsTheScratchFoldersIsBounded(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	for range 3 {
		if got := says(t, s, Request{Scratch: 8 << 20}, `
for at in ("/work/f", "/tmp/f", "/dev/shm/f", "/cage/f"):
    n = 0
    try:
        with open(at, "wb", 0) as f:
            while n < 64 << 20: n += f.write(b"x" * (1 << 20))
    except OSError as e: say(at, n <= 8 << 20, e.strerror)
    os.remove(at)`); got != "/work/f True No space left on device\n/tmp/f True No space left on device\n/dev/shm/f True No space left on device\n/cage/f True No space left on device" {
			t.Errorf("said\n%s", got)
		}
	}
}

func TestWithoutAMemoryGroupASingleProcessIsBounded(t *testing.T) {
	k := keeper(t)
	if active(k, "memory cgroup") {
		t.Skip("a memory group bounds the whole box here")
	}
	s := serveIn(t, k, specOf(t, sandbox.Limits{Memory: 400 << 20}))
	if got := says(t, s, Request{}, `
try: x = bytearray(500 << 20)
except MemoryError: say("MemoryError")`); got != "MemoryError" {
		t.Errorf("said %q", got)
	}
}
