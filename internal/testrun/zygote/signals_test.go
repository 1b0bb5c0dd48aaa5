package zygote

import (
	"strings"
	"syscall"
	"testing"

	"breakfix/internal/sandbox"
)

func TestAChildCanSignalNothingOutsideOfItsCage(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	for _, init := range []bool{false, true} {
		got := says(t, s, Request{Init: init}, `
import signal
say(os.getppid())
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
for name, call in (("group", lambda: os.kill(0, signal.SIGUSR1)), ("all", lambda: os.kill(-1, signal.SIGUSR1))):
    try: call()
    except OSError as e: say(name, type(e).__name__)
for pid in range(1, 400):
    if pid == os.getpid(): continue
    try: os.kill(pid, signal.SIGKILL); say("killed", pid)
    except ProcessLookupError: pass
`)
		want := "0\nall ProcessLookupError" // it is alone
		if init {
			want = "1\nall ProcessLookupError\nkilled 1" // the kernel drops what a first process is sent from inside
		}
		if got != want {
			t.Errorf("init %v: said\n%s\nwant\n%s", init, got, want)
		}
		lives(t, s)
	}
	// The default action, of the whole process group.
	if _, exit := do(t, s, Request{Init: true}, `os.kill(0, 15)`); exit.Signal != 15 {
		t.Errorf("after SIGTERM to its group a child ended with %+v", exit)
	}
	if _, exit := do(t, s, Request{}, `os.kill(0, 9)`); exit.Signal != 0 || exit.Status != 0 {
		t.Errorf("after SIGKILL to its group a first process ended with %+v", exit)
	}
	lives(t, s)
}

func TestTheFirstProcessOfACageIgnoresEverySignal(t *testing.T) {
	s := serve(t, sandbox.Limits{}, "PRELUDE=import signal; signal.signal(15, lambda *a: sys.exit(3)); signal.signal(10, lambda *a: 1/0)")
	got := says(t, s, Request{Init: true}, `
import signal, time
for n in signal.valid_signals():
    os.kill(1, n)
time.sleep(0.05)
say(os.getppid(), os.getpid())
say(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
`)
	if got != "1 2\n[]" {
		t.Errorf("said %q", got)
	}
	lives(t, s)
}

func TestDefaultActionsOfSignalsWorkBelowAFirstProcess(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	for code, want := range map[string]syscall.Signal{
		`import signal; signal.raise_signal(signal.SIGTERM)`:                       syscall.SIGTERM,
		`import signal; signal.raise_signal(signal.SIGKILL)`:                       syscall.SIGKILL,
		`import signal; signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), 2)`: syscall.SIGINT,
		`os.abort()`:                         syscall.SIGABRT,
		`import ctypes; ctypes.string_at(0)`: syscall.SIGSEGV,
		`import signal, time; signal.setitimer(signal.ITIMER_REAL, 0.02); time.sleep(9); say("no")`: syscall.SIGALRM,
	} {
		h, exit := do(t, s, Request{Init: true}, code)
		if exit.Signal != int(want) || exit.Status != 128+int(want) || h.done {
			t.Errorf("%s: %+v, done %v", code, exit, h.done)
		}
	}
	if got := says(t, s, Request{Init: true}, `
try:
    import signal; signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt: say("interrupted")
`); got != "interrupted" {
		t.Errorf("SIGINT: %q", got)
	}
	h, exit := do(t, s, Request{Init: true}, `os._exit(7)`)
	if exit.Status != 7 || exit.Signal != 0 || h.done {
		t.Errorf("exit 7: %+v", exit)
	}
	h, exit = do(t, s, Request{}, `import ctypes; ctypes.string_at(0)`)
	if exit.Signal != int(syscall.SIGSEGV) {
		t.Errorf("a first process may crash: %+v, %v", exit, strings.Join(h.said, "\n"))
	}
	lives(t, s)
}
