package zygote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/tree"
)

// descendants lists what runs below a process, by pid; zombies too.
func descendants(pid int) map[int]string {
	parent, name := map[int]int{}, map[int]string{}
	dirs, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range dirs {
		text, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		p, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
		rest := strings.Fields(string(text[end+1:]))
		parent[p], _ = strconv.Atoi(rest[1])
		name[p] = string(text[open:end+1]) + rest[0]
	}
	found := map[int]string{}
	for p := range parent {
		for q := parent[p]; q > 1; q = parent[q] {
			if q == pid {
				found[p] = name[p]
				break
			}
		}
	}
	return found
}

// alone checks that nothing but the server is left of its children.
func alone(t *testing.T, s *Server) {
	t.Helper()
	if got := inServer(t, s, `
import os
mine = os.getpid()
result = [p for p in os.listdir("/proc") if p.isdigit() and int(p) != mine]`); got != "[]" {
		t.Errorf("processes in the box: %s", got)
	}
}

func TestDaemonsAndProcessTreesAreGoneWhenDoReturns(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	before := len(descendants(os.Getpid()))
	for name, code := range map[string]string{
		"daemon": `
import time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for n in range(3, 300):
            try: os.close(n)
            except OSError: pass
        time.sleep(1000)
    os._exit(0)
say("left")`,
		"sixty": `
import time, signal
for i in range(20):
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0: os.setsid(); os.fork()
        time.sleep(1000)
time.sleep(0.2)
say("left")`,
		"holds the report": `
import time
if os.fork() == 0: time.sleep(1000)
say("left")`,
		"program with the report": `
import subprocess
fds = [int(f) for f in os.listdir("/proc/self/fd") if int(f) >= 200]
subprocess.Popen(["sleep", "1000"], pass_fds=fds)
say("left")`,
	} {
		for _, init := range []bool{false, true} {
			began := time.Now()
			if got := says(t, s, Request{Init: init}, code); got != "left" {
				t.Errorf("%s: %q", name, got)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s took %v", name, took)
			}
			if after := descendants(os.Getpid()); len(after) != before {
				t.Errorf("%s, init %v: %d processes before, now %v", name, init, before, after)
			}
			alone(t, s)
		}
	}
}

func TestAChildMayTurnIntoAnotherProgram(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	for _, init := range []bool{false, true} {
		h, exit := do(t, s, Request{Init: init}, `os.execv("/bin/sh", ["sh", "-c", "test ! -e /proc/self/fd/200 && exit 9"])`)
		if exit.Status != 9 || exit.Signal != 0 || h.done {
			t.Errorf("init %v: %+v", init, exit)
		}
		lives(t, s)
	}
}

// told is a report that ends its child when it has begun to speak.
type told struct {
	begun chan struct{}
	once  sync.Once
	err   error
}

func (r *told) Write(p []byte) (int, error) {
	r.once.Do(func() { close(r.begun) })
	return len(p), r.err
}

func TestEndingTheContextKillsAChildWithinASecond(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	for name, code := range map[string]string{
		"busy":     "import signal\nfor n in range(1, 32):\n    if n not in (9, 17, 19): signal.signal(n, signal.SIG_IGN)\nsay(1)\nwhile True: pass",
		"stopped":  "import time\nif os.fork() == 0:\n    say(1)\n    time.sleep(1000)\nsay(1)\nos.kill(os.getpid(), 19)\ntime.sleep(1000)",
		"waiting":  "say(1)\nos.read(os.pipe()[0], 1)",
		"many":     "import time\nfor i in range(60):\n    if os.fork() == 0: time.sleep(1000)\nsay(1)\ntime.sleep(1000)",
		"printing": "say(1)\nwhile True: print('x' * 1000)",
	} {
		for _, init := range []bool{false, true} {
			ctx, cancel := context.WithCancel(context.Background())
			report := &told{begun: make(chan struct{})}
			var began time.Time
			go func() {
				<-report.begun
				time.Sleep(20 * time.Millisecond)
				began = time.Now()
				cancel()
			}()
			_, exit, err := try(t, ctx, s, Request{Init: init, Report: report}, code)
			cancel()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if took := time.Since(began); took > time.Second || exit.Signal != int(syscall.SIGKILL) {
				t.Errorf("%s, init %v: %+v after %v", name, init, exit, took)
			}
			alone(t, s)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 20 {
		if h, exit, err := try(t, ctx, s, Request{}, `import time; time.sleep(1000)`); err != nil || exit.Signal != int(syscall.SIGKILL) || exit.Wall > time.Second {
			t.Fatalf("a child that had not begun: %+v %+v %v", h, exit, err)
		}
		lives(t, s)
	}
}

// Ends contexts at every moment of short children: what was meant for one must
// not hit the next.
func TestALateKillHitsNoOtherChild(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	for i := range 150 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i*40)*time.Microsecond)
		if _, _, err := try(t, ctx, s, Request{}, `pass`); err != nil {
			t.Fatal(err)
		}
		cancel()
		lives(t, s)
	}
	alone(t, s)
}

func TestAChildThatFloodsItsReportIsKilled(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	for _, init := range []bool{false, true} {
		_, exit, err := try(t, context.Background(), s, Request{Init: init, Report: &limited{io.Discard, 1 << 20}}, "while True: say('x' * 10000)")
		if err != nil || !exit.Told || exit.Signal != int(syscall.SIGKILL) {
			t.Errorf("%+v, %v", exit, err)
		}
		// One that ends by itself at the same time.
		_, exit, err = try(t, context.Background(), s, Request{Init: init, Report: &limited{io.Discard, 0}}, "say(1)")
		if err != nil || !exit.Told {
			t.Errorf("%+v, %v", exit, err)
		}
		lives(t, s)
	}
}

func TestClosingDuringARequestIsAnErrorAndLeavesNothing(t *testing.T) {
	for _, how := range []string{"close", "kill"} {
		s := serve(t, sandbox.Limits{})
		report := &told{begun: make(chan struct{})}
		go func() {
			<-report.begun
			if how == "close" {
				s.Close()
				return
			}
			for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} { // the server may not tell of its child's end
				for pid, name := range descendants(os.Getpid()) {
					if strings.HasPrefix(name, "(python") {
						syscall.Kill(pid, signal)
					}
				}
			}
		}()
		_, exit, err := try(t, context.Background(), s, Request{Report: report}, "import time\nfor i in range(7): os.fork()\nsay(1)\ntime.sleep(1000)")
		if err == nil {
			t.Errorf("%s: %+v", how, exit)
		}
		var refused *RefusedError
		if errors.As(err, &refused) {
			t.Errorf("%s: %v", how, err)
		}
		s.Close()
		if left := descendants(os.Getpid()); len(left) > 0 {
			t.Errorf("%s: left %v", how, left)
		}
		if _, _, err := try(t, context.Background(), s, Request{}, "pass"); err == nil {
			t.Errorf("%s: a closed server served", how)
		}
		select {
		case <-s.Gone():
		default:
			t.Errorf("%s: it is not gone", how)
		}
	}
}

func TestAProcessThatDoesNotComeToServeIsAStartError(t *testing.T) {
	k := keeper(t)
	for prelude, text := range map[string]string{
		"sys.stderr.write('no luck\\n'); os._exit(4)":                "no luck",
		"raise ValueError('no such luck')":                           "no such luck",
		"import time; time.sleep(1000)":                              "",
		"os.write(3, b'\\xff' * 100); import time; time.sleep(9)":    "",
		"os.write(3, b'\\0\\0\\0\\2{}'); import time; time.sleep(9)": "",
	} {
		_, _, err := Start(context.Background(), k, specOf(t, sandbox.Limits{}, "PRELUDE="+prelude), 2*time.Second)
		var se *StartError
		if !errors.As(err, &se) || !strings.Contains(string(se.Stderr), text) {
			t.Errorf("%s: %v", prelude, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, _, err := Start(ctx, k, specOf(t, sandbox.Limits{}, "PRELUDE=import time; time.sleep(1000)"), time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("its context ended: %v", err)
	}
	if left := descendants(os.Getpid()); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// A warm process that does not read is lost, also when the request is larger
// than what a socket holds.
func TestAWarmProcessThatDoesNotReadIsLost(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	lives(t, s)
	for pid, name := range descendants(os.Getpid()) {
		if strings.HasPrefix(name, "(python") {
			syscall.Kill(pid, syscall.SIGSTOP)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, _, err := try(t, ctx, s, Request{Changes: map[string]*tree.File{"big": {Kind: tree.Regular, Data: make([]byte, 4<<20)}}}, "pass")
	if took := time.Since(began); err == nil || took > patience+5*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestAForkBombIsBoundedAndTheServerLivesOn(t *testing.T) {
	k := keeper(t)
	if os.Geteuid() == 0 && !active(k, "pids cgroup") {
		t.Skip("nothing bounds the processes of a box here")
	}
	s := serveIn(t, k, specOf(t, sandbox.Limits{Pids: 60}))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, exit, err := try(t, ctx, s, Request{}, `
import time
made = 0
while True:
    try:
        if os.fork() == 0: time.sleep(1000)
        made += 1
    except OSError as e: why = type(e).__name__; break
say(made < 60, why)
while True:
    try: os.fork()
    except OSError: pass`)
	if err != nil || exit.Signal != int(syscall.SIGKILL) {
		t.Errorf("%+v %v", exit, err)
	}
	for range 3 {
		lives(t, s)
	}
	alone(t, s)
	if got := says(t, s, Request{}, `
made = 0
while made < 100:
    try:
        if os.fork() == 0: import time; time.sleep(1000)
        made += 1
    except OSError as e: why = type(e).__name__; break
say(made < 60, why)`); got != "True BlockingIOError" {
		t.Errorf("said %q", got)
	}
}

func active(k sandbox.Keeper, layer string) bool {
	for _, l := range k.Layers() {
		if l.Name == layer {
			return l.Active
		}
	}
	return false
}

func TestTimeIsMeasured(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	_, exit := do(t, s, Request{}, `
import time
until = time.process_time() + 0.2
while time.process_time() < until: pass
x = bytearray(50 << 20)`)
	if exit.CPU < 200*time.Millisecond || exit.CPU > 2*time.Second || exit.Wall < 200*time.Millisecond || exit.Peak < 50<<20 || exit.Peak > 200<<20 {
		t.Errorf("%+v", exit)
	}
}
