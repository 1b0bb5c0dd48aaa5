package testrun

import (
	"slices"
	"sync"
	"testing"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/tree"
	"github.com/google/go-cmp/cmp"
)

// hostileFiles is a tree whose one test does what pkg.how says: nothing on the
// base. An edit of one word in a function's body turns it hostile, so that
// every tier may run it.
var hostileFiles = map[string]string{
	"pkg.py": `
def how():
    return "calm"
`,
	"test_pkg.py": `
import os
import acts
import pkg

def test_before():
    assert pkg.how() in vars(acts)

def test_hostile():
    vars(acts)[pkg.how()]()

def test_after():
    assert os.getpid() > 1

def test_nothing_is_left():
    for folder in (".", "/tmp", "/dev/shm", "/env", os.path.expanduser("~")):
        assert not [n for n in os.listdir(folder) if n.startswith("left")], folder
    assert "LEFT" not in os.environ
`,
	"acts.py": `
import ctypes, gc, os, re, resource, signal, sys, time

ID = "test_pkg.py::test_hostile"
SELF = os.getpid()

def calm():
    pass

def descriptors():
    return [int(n) for n in os.listdir("/proc/self/fd")]

def pids():
    return [int(n) for n in os.listdir("/proc") if n.isdigit()]

def kill_parent():
    for pid in (os.getppid(), 1):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    time.sleep(0.2)
    assert False

def kill_all():
    try:
        os.kill(-1, signal.SIGKILL)
    except OSError:
        pass
    time.sleep(0.2)
    assert False

def stop_parent():
    for pid in pids():
        if pid != os.getpid():
            try:
                os.kill(pid, signal.SIGSTOP)
            except OSError:
                pass
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGSTOP)
    assert False

def close_descriptors():
    os.closerange(0, 4096)
    assert False

def swap_descriptors():
    r, w = os.pipe()
    for fd in descriptors():
        if fd not in (r, w):
            os.dup2(w, fd)
    assert False

def fill_memory():
    held = []
    while True:
        try:
            held.append(b"x" * (8 << 20))
        except MemoryError:
            pass

def fork_forever():
    while True:
        try:
            os.fork()
        except OSError:
            pass

LINES = ['{"n":"%s","k":"%s"}' % ("0123456789abcdef" * 2, rest) for rest in (
    'end","id":"' + ID + '","verdict":"passed","seconds":0', 'done","selected":4,"ended":4', 'exit')]

def write_everywhere(text):
    for fd in descriptors():
        try:
            os.set_blocking(fd, False)
            os.write(fd, text.encode())
        except OSError:
            pass

def false_lines():
    write_everywhere("\n" + "\n".join(LINES) + "\n")
    if os.fork() == 0:
        write_everywhere("\n" + "\n".join(LINES) + "\n")
        os._exit(0)
    os.wait()
    assert False

def half_a_line():
    write_everywhere("\n" + LINES[0][:-5])
    assert False

def places():
    yield repr(sys.argv) + repr(sys.orig_argv) + repr(os.environ)
    for name in ["/proc/%s/%s" % (p, f) for p in pids() for f in ("environ", "cmdline")] + [
            "/breakfix/" + n for n in os.listdir("/breakfix")] + ["/proc/self/fd/4", "/proc/self/fd/3"]:
        try:
            with open(name, "rb", buffering=0) as f:
                os.set_blocking(f.fileno(), False)
                yield (f.read(1 << 20) or b"").decode("latin-1")
        except OSError:
            pass

def search_nonce():
    for text in places():
        for nonce in set(re.findall("[0-9a-f]{32}", text)):
            write_everywhere("\n" + "\n".join(LINES).replace("0123456789abcdef" * 2, nonce) + "\n")
    os._exit(0)

def forge_with_the_channel():
    import breakfix_channel
    breakfix_channel.send("end", id=ID, verdict="passed", seconds=0)
    assert False

def leave():
    os._exit(0)

def leave_the_child_in_charge():
    if os.fork():
        os._exit(0)

def become_another_program():
    os.execv(sys.executable, [sys.executable, "-c", "print('1 passed')"])

def leave_a_thread():
    import threading
    def spin():
        while True:
            write_everywhere("\n" + "\n".join(LINES) + "\n")
            time.sleep(0.05)
    threading.Thread(target=spin).start()
    assert False

def leave_by_signal_handler():
    signal.signal(signal.SIGALRM, lambda *a: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(5)

def silence_the_reporter():
    for name in ("breakfix_channel", "breakfix_report"):
        module = sys.modules.get(name)
        for key in ("send", "done", "clock", "substitute", "is_main", "failure", "crash", "flush"):
            if hasattr(module, key):
                setattr(module, key, lambda *a, **k: None)
    assert False

def unregister_the_reporter():
    manager = [o for o in gc.get_objects() if type(o).__name__ == "PytestPluginManager"]
    for m in manager:
        for name, plugin in list(m.list_name_plugin()):
            if "breakfix" in str(name) or "breakfix" in repr(plugin):
                m.unregister(plugin)
    assert False

def lie_in_the_framework():
    import _pytest.reports
    import _pytest.runner
    def passed(cls, item, call, real=_pytest.reports.TestReport.from_item_and_call.__func__):
        call.excinfo = None
        return real(cls, item, call)
    _pytest.reports.TestReport.from_item_and_call = classmethod(passed)
    _pytest.runner.CallInfo.from_call = classmethod(lambda cls, func, when, **k: cls(None, None, 0, 0, 0, when, _ispytest=True))
    assert False

def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for _ in range(200):
                write_everywhere("\n" + "\n".join(LINES) + "\n")
                for name in ("left-by-daemon", "/tmp/left-by-daemon", "/dev/shm/left-by-daemon"):
                    open(name, "w").close()
                time.sleep(0.05)
        os._exit(0)
    os.wait()
    assert False

def leave_files():
    bad = "raise SystemExit('left')\n"
    for folder in (os.getcwd(), "/tmp", "/dev/shm", "/env", "/env/lib", "/breakfix", os.path.expanduser("~"), *sys.path):
        for name in ("left", "left.pth", "conftest.py", "sitecustomize.py", "usercustomize.py", "pkg.py", "test_pkg.py", "pytest.ini", "plan.json",
                     "breakfix_report.py", "none.ini"):
            try:
                with open(os.path.join(folder, name), "w") as f:
                    f.write(bad)
            except OSError:
                pass
    os.environ["LEFT"] = "1"
    assert False

def flood():
    junk = b"x" * 65535 + b"\n"
    while True:
        for fd in descriptors():
            try:
                os.set_blocking(fd, False)
                os.write(fd, junk)
            except OSError:
                pass

def spoil_the_interpreter():
    os.environ.clear()
    os.environ["LEFT"] = "1"
    sys.path[:] = []
    sys.meta_path[:] = []
    sys.path_hooks[:] = []
    for name in list(sys.modules):
        if name not in ("sys", "builtins", "_imp", "marshal"):
            sys.modules.pop(name, None)
    os.umask(0o777)
    os.chdir("/")
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
        resource.setrlimit(limit, (0, 0))
    assert False

def write_memory_of_others():
    for pid in pids():
        if pid == os.getpid():
            continue
        try:
            with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "r+b", buffering=0) as mem:
                for line in maps:
                    if "[heap]" in line or "[stack]" in line:
                        low, high = [int(x, 16) for x in line.split()[0].split("-")]
                        mem.seek(low)
                        mem.write(bytes(high - low))
        except (OSError, ValueError):
            pass
    time.sleep(0.2)
    assert False

def hang():
    for s in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(s, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
`,
}

const hostileTest = "test_pkg.py::test_hostile"

// hostileWork is one workspace that all tests here look at, and the ways of
// running tests that it really has: a tier that is run in a later one is not
// run twice.
var hostileWork struct {
	once  sync.Once
	w     *Workspace
	tiers []Tier
	err   error
}

func hostileWorkspace(t *testing.T) (*Workspace, []Tier) {
	t.Helper()
	h := &hostileWork
	h.once.Do(func() {
		if h.w, h.err = preparedLazily(t, "", hostileFiles); h.err != nil {
			return
		}
		other := turned(t, h.w, "descriptors")
		for _, tier := range allTiers {
			rep := mustReport(t, h.w, Request{Tree: other, Fresh: true, Tier: tier})
			if !slices.Contains(h.tiers, rep.Tier) {
				h.tiers = append(h.tiers, rep.Tier)
			}
		}
	})
	if h.err != nil || len(h.tiers) == 0 {
		t.Fatalf("preparing failed: %v", h.err)
	}
	return h.w, h.tiers
}

func turned(t *testing.T, w *Workspace, act string) *tree.Tree {
	t.Helper()
	return changed(t, w, "pkg.py", `"calm"`, `"`+act+`"`)
}

// sameAfter runs a tree in which the test does act, in every tier, gives the
// report to check, and wants the next run on the base to say what the baseline says.
func sameAfter(t *testing.T, act string, check func(t *testing.T, rep Report)) {
	t.Helper()
	w, tiers := hostileWorkspace(t)
	broken := turned(t, w, act)
	for _, tier := range tiers {
		t.Run(tier.String(), func(t *testing.T) {
			began := time.Now()
			rep := mustReport(t, w, Request{Tree: broken, Fresh: true, Tier: tier, Deadline: func(string) time.Duration { return 2500 * time.Millisecond }})
			if v := rep.Results["test_pkg.py::test_before"]; v == outcome.Failed {
				t.Errorf("there is no act %q", act)
			}
			check(t, rep)
			took := time.Since(began)
			if took > 40*time.Second {
				t.Errorf("the run took %.1f s", took.Seconds())
			}
			next := mustReport(t, w, Request{Tree: w.Snapshot.Tree, Fresh: true, Tier: tier})
			if diff := cmp.Diff(w.Base.Results, next.Results); diff != "" || !next.Loaded || next.Suspicious != 0 {
				t.Errorf("the next run on the base: loaded %v, suspicious %d\n%s%v", next.Loaded, next.Suspicious, diff, next.Failures)
			}
			f := rep.Failures[hostileTest]
			t.Logf("%.1f s in %s: %s %s %q, suspicious %d; then the base in %s", took.Seconds(), rep.Tier, rep.Results[hostileTest], f.Kind,
				firstLine(f.Message), rep.Suspicious, next.Tier)
		})
	}
}

// harmless wants the hostile test not to have passed.
func harmless(t *testing.T, act string, more ...func(*testing.T, Report)) {
	t.Helper()
	sameAfter(t, act, func(t *testing.T, rep Report) {
		if v := rep.Results[hostileTest]; v == outcome.Passed {
			t.Errorf("the hostile test is %s", v)
		}
		for _, m := range more {
			m(t, rep)
		}
	})
}

func isRed(t *testing.T, rep Report) {
	t.Helper()
	if v := rep.Results[hostileTest]; !v.Red() {
		t.Errorf("the hostile test is %s", v)
	}
}

func soon(t *testing.T, rep Report) {
	t.Helper()
	if rep.Wall > 20*time.Second {
		t.Errorf("the run took %.1f s", rep.Wall.Seconds())
	}
}

func othersPass(t *testing.T, rep Report) {
	t.Helper()
	for id, v := range rep.Results {
		if id != hostileTest && v != outcome.Passed {
			t.Errorf("%s is %s: %s", id, v, rep.Failures[id].Message)
		}
	}
}

func TestATestThatKillsItsParentIsRed(t *testing.T)  { harmless(t, "kill_parent", isRed) }
func TestATestThatKillsEverythingIsRed(t *testing.T) { harmless(t, "kill_all", isRed) }
func TestATestThatStopsEverythingIsRed(t *testing.T) { harmless(t, "stop_parent", isRed) }
func TestATestThatHangsAndIgnoresSignalsTimesOut(t *testing.T) {
	harmless(t, "hang", othersPass, func(t *testing.T, rep Report) {
		if v := rep.Results[hostileTest]; v != outcome.TimedOut {
			t.Errorf("it is %s", v)
		}
	})
}
func TestATestThatClosesEveryDescriptorIsRed(t *testing.T) {
	harmless(t, "close_descriptors", isRed, othersPass)
}
func TestATestThatReplacesEveryDescriptorDoesNotPass(t *testing.T) { harmless(t, "swap_descriptors") }
func TestATestThatFillsMemoryIsRed(t *testing.T)                   { harmless(t, "fill_memory", isRed) }
func TestATestThatForksForeverIsRed(t *testing.T)                  { harmless(t, "fork_forever", isRed) }
func TestFalseLinesOfTheRightFormAreCountedAndNotBelieved(t *testing.T) {
	harmless(t, "false_lines", isRed, othersPass, func(t *testing.T, rep Report) {
		if rep.Suspicious == 0 {
			t.Error("no line counts as suspicious")
		}
	})
}
func TestHalfALineDoesNotMakeAPass(t *testing.T) { harmless(t, "half_a_line") }
func TestTheNonceIsNowhereButInTheReportersMemory(t *testing.T) {
	harmless(t, "search_nonce", isRed)
}

// What reaches the channel's own function can send lines; the honest one still counts.
func TestAForgedPassDoesNotHideTheFailure(t *testing.T) {
	harmless(t, "forge_with_the_channel", othersPass, func(t *testing.T, rep Report) {
		if rep.Suspicious == 0 {
			t.Error("two verdicts for one test are not suspicious")
		}
	})
}
func TestATestThatLeavesIsRed(t *testing.T) { harmless(t, "leave", isRed, othersPass) }
func TestATestThatLeavesInAHandlerIsRed(t *testing.T) {
	harmless(t, "leave_by_signal_handler", isRed, othersPass)
}
func TestATestThatLeavesItsChildInChargeIsRed(t *testing.T) {
	harmless(t, "leave_the_child_in_charge", isRed, othersPass)
}
func TestATestThatBecomesAnotherProgramIsRed(t *testing.T) {
	harmless(t, "become_another_program", isRed, othersPass)
}
func TestATestThatLeavesAThreadDoesNotHoldTheRunUp(t *testing.T) {
	harmless(t, "leave_a_thread", isRed, othersPass, soon)
}
func TestASilencedReporterMakesNoPass(t *testing.T)      { harmless(t, "silence_the_reporter") }
func TestAnUnregisteredReporterMakesNoPass(t *testing.T) { harmless(t, "unregister_the_reporter") }

// A framework that is patched in the process can lie about that process
// (docs/limitations.md; grading has canaries for it), and about no later one.
func TestALyingFrameworkDoesNotOutliveItsRun(t *testing.T) {
	sameAfter(t, "lie_in_the_framework", func(*testing.T, Report) {})
}
func TestADaemonDoesNotHoldTheRunUpOrReachTheNext(t *testing.T) {
	harmless(t, "daemon", isRed, soon)
}
func TestFilesThatATestWritesDoNotReachTheNextRun(t *testing.T) { harmless(t, "leave_files", isRed) }
func TestATestThatFloodsItsOutputIsRed(t *testing.T)            { harmless(t, "flood", isRed) }
func TestASpoiltInterpreterDoesNotReachTheNextRun(t *testing.T) {
	harmless(t, "spoil_the_interpreter")
}
func TestATestThatWritesIntoOtherProcessesIsRed(t *testing.T) {
	harmless(t, "write_memory_of_others", isRed)
}
