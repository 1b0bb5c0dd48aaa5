package testrun

import (
	"strings"
	"testing"
	"time"

	"breakfix/internal/outcome"
)

func TestPrintedAndForgedResultsAreNotBelieved(t *testing.T) {
	got := mustRun(t, seriesOf(t, map[string]string{"test_a.py": `
import os
def test_red():
    print("PASSED test_a.py::test_red\n1 passed")
    for fd in range(3, 256):
        try:
            os.write(fd, b'\n{"n":"0000","k":"end","id":"test_a.py::test_red","verdict":"passed","seconds":0}\n')
        except OSError:
            pass
    assert False
def test_last(): pass
`}))
	wantVerdicts(t, got, outcome.Results{"test_a.py::test_red": outcome.Failed, "test_a.py::test_last": outcome.Passed})
	if got.strange == 0 {
		t.Error("forged lines were not counted")
	}
}

func TestATestThatLeavesOrKillsItsProcessIsErroredAndTheRestStillRuns(t *testing.T) {
	got := mustRun(t, seriesOf(t, map[string]string{"test_a.py": `
import os, signal
def test_1(): pass
def test_2(): os._exit(0)
def test_3(): pass
def test_4(): os.kill(os.getpid(), signal.SIGKILL)
def test_5(): assert 0
`}))
	wantVerdicts(t, got, outcome.Results{"test_a.py::test_1": outcome.Passed, "test_a.py::test_2": outcome.Errored, "test_a.py::test_3": outcome.Passed,
		"test_a.py::test_4": outcome.Errored, "test_a.py::test_5": outcome.Failed})
	if m := got.failures["test_a.py::test_4"].Message; !strings.Contains(m, "signal 9") {
		t.Errorf("message of the killed test: %q", m)
	}
	if m := got.failures["test_a.py::test_2"].Message; !strings.Contains(m, "status 0") {
		t.Errorf("message of the test that left: %q", m)
	}
	if !got.complete || got.processes != 3 {
		t.Errorf("complete %v after %d processes", got.complete, got.processes)
	}
}

func TestAHangingTestTimesOutAndTheRunGivesUpAfterThree(t *testing.T) {
	s := seriesOf(t, map[string]string{"test_a.py": `
import time, signal
def hang():
    while True:
        try: time.sleep(60)
        except BaseException: pass
def test_0(): pass
def test_1(): hang()
def test_2(): hang()
def test_3(): hang()
def test_4(): pass
`})
	s.deadline = func(string) time.Duration { return 700 * time.Millisecond }
	got := mustRun(t, s)
	wantVerdicts(t, got, outcome.Results{"test_a.py::test_0": outcome.Passed, "test_a.py::test_1": outcome.TimedOut, "test_a.py::test_2": outcome.TimedOut,
		"test_a.py::test_3": outcome.TimedOut})
	if !got.gaveUp || got.complete {
		t.Errorf("gave up %v, complete %v", got.gaveUp, got.complete)
	}
	s.giveUp = 4
	if got = mustRun(t, s); got.gaveUp || got.results.Get("test_a.py::test_4") != outcome.Passed {
		t.Errorf("with a bound of 4: gave up %v, %v", got.gaveUp, got.results)
	}
}

func TestTwoTestsUnderOneIdAreNothingStrange(t *testing.T) {
	got := mustRun(t, seriesOf(t, map[string]string{
		"conftest.py": "def pytest_collection_modifyitems(items):\n    items.append(items[0])\n",
		"test_a.py":   "def test_1(): pass\ndef test_2(): assert False\n",
	}))
	wantVerdicts(t, got, outcome.Results{"test_a.py::test_1": outcome.Passed, "test_a.py::test_2": outcome.Failed})
	if got.strange != 0 {
		t.Errorf("%d lines count as strange", got.strange)
	}
}

func TestTestsThatAreSlowTogetherEndTheRunThoughNoneIsPastItsDeadline(t *testing.T) {
	s := seriesOf(t, map[string]string{"test_a.py": `
import time
import pytest
def test_0(): pass
@pytest.mark.parametrize("n", range(40))
def test_slow(n): time.sleep(0.4)
`})
	s.deadline = func(string) time.Duration { return 10 * time.Second }
	s.budget = 3 * time.Second
	got := mustRun(t, s)
	if !got.gaveUp || got.complete || got.results.Get("test_a.py::test_0") != outcome.Passed || got.results.Get("test_a.py::test_slow[39]") != outcome.Absent {
		t.Errorf("gave up %v, complete %v: %v", got.gaveUp, got.complete, got.results)
	}
	for id, v := range got.results {
		if v.Red() {
			t.Errorf("%s is %s: no single test is to blame", id, v)
		}
	}
}

func TestATestThatEndsTheSessionDoesNotTakeTheOthersWithIt(t *testing.T) {
	got := mustRun(t, seriesOf(t, map[string]string{"test_a.py": `
import pytest
def test_1(): pytest.exit("enough", returncode=0)
def test_2(): raise KeyboardInterrupt
def test_3(): pass
`}))
	wantVerdicts(t, got, outcome.Results{"test_a.py::test_1": outcome.Errored, "test_a.py::test_2": outcome.Errored, "test_a.py::test_3": outcome.Passed})
}

func TestAPackageThatLeavesAtImportDoesNotLoad(t *testing.T) {
	got := mustRun(t, seriesOf(t, map[string]string{"pkg.py": "import os\nos._exit(0)\n", "test_a.py": "import pkg\ndef test_1(): pass\n"}))
	if got.loadError == "" || got.complete || len(got.results) != 0 {
		t.Errorf("load error %q, complete %v, results %v", got.loadError, got.complete, got.results)
	}
}

func TestAConftestThatDoesNotImportDoesNotLoadAndIsToldAtOnce(t *testing.T) {
	got := mustRun(t, seriesOf(t, map[string]string{"conftest.py": "import nothing_like_this\n", "test_a.py": "def test_1(): pass\n"}))
	if !strings.Contains(got.loadError, "nothing_like_this") || got.processes != 1 {
		t.Errorf("load error %q after %d processes", got.loadError, got.processes)
	}
}

func TestAFileThatDoesNotCollectIsNamedWithItsMissingModule(t *testing.T) {
	got := mustRun(t, seriesOf(t, map[string]string{"test_a.py": "def test_1(): pass\n", "test_b.py": "import nothing.like.this\n",
		"test_c.py": "def broken(:\n"}))
	wantVerdicts(t, got, outcome.Results{"test_a.py::test_1": outcome.Passed})
	if m := got.uncollected["test_b.py"].missing; m != "nothing" {
		t.Errorf("missing module %q", m)
	}
	if k := got.uncollected["test_c.py"].failure.Kind; k != "SyntaxError" {
		t.Errorf("kind of the syntax error: %q", k)
	}
}

func TestWarningsAsErrorsDoNotTripTheReporter(t *testing.T) {
	s := seriesOf(t, map[string]string{"pytest.ini": "[pytest]\nfilterwarnings = error\naddopts = --strict-markers --strict-config\n",
		"test_a.py": "import gc\ndef test_1(): gc.collect()\ndef test_2(): open('/dev/null'); gc.collect()\n"})
	s.mode.Config, s.mode.Args = "pytest.ini", []string{"-W", "error"}
	got := mustRun(t, s)
	if got.results.Get("test_a.py::test_1") != outcome.Passed || !got.complete {
		t.Errorf("%v complete %v\n%s", got.results, got.complete, got.output)
	}
}

func TestDaemonsAndForksAndWritesLeaveNothingBehind(t *testing.T) {
	s := seriesOf(t, map[string]string{"pkg.py": "x = 1\n", "test_a.py": `
import os, subprocess, sys, pathlib
def test_daemon():
    subprocess.Popen(["sleep", "300"], start_new_session=True)
def test_fork_goes_on_as_pytest():
    if os.fork() == 0:
        return
    os.wait()
def test_writes():
    for d in (".", "/tmp", "/env", "/breakfix", "/usr", "/", os.path.expanduser("~"), sys.base_prefix):
        try: pathlib.Path(d, "left").write_text("x")
        except OSError: pass
    pathlib.Path("pkg.py").write_text("x = 2\n")
    assert not pathlib.Path("/env/left").exists()
def test_nothing_is_left():
    import pkg
`})
	began := time.Now()
	got := mustRun(t, s)
	wantVerdicts(t, got, outcome.Results{"test_a.py::test_daemon": outcome.Passed, "test_a.py::test_fork_goes_on_as_pytest": outcome.Passed,
		"test_a.py::test_writes": outcome.Passed, "test_a.py::test_nothing_is_left": outcome.Passed})
	if time.Since(began) > 60*time.Second {
		t.Error("the daemon held the run up")
	}
	s.tests = []string{"test_a.py::test_nothing_is_left"}
	s.tree = treeOf(t, map[string]string{"pkg.py": "x = 1\n", "test_a.py": "import os, pkg\ndef test_nothing_is_left():\n    assert pkg.x == 1 and not os.path.exists('left') and not os.path.exists('/tmp/left')\n"})
	wantVerdicts(t, mustRun(t, s), outcome.Results{"test_a.py::test_nothing_is_left": outcome.Passed})
}

func TestOnlyTheNamedTestsRun(t *testing.T) {
	s := seriesOf(t, map[string]string{"a/test_a.py": "def test_1(): pass\ndef test_2(): assert 0\n", "b/test_b.py": "def test_1(): pass\n"})
	s.tests, s.whole = []string{"a/test_a.py::test_1"}, []string{"b/test_b.py"}
	wantVerdicts(t, mustRun(t, s), outcome.Results{"a/test_a.py::test_1": outcome.Passed, "b/test_b.py::test_1": outcome.Passed})
}

func TestAFrozenClockAndPatchedWritesDoNotChangeTheReport(t *testing.T) {
	got := mustRun(t, seriesOf(t, map[string]string{"test_a.py": `
import os, time, json
def test_1():
    os.write = lambda *a: 0
    os.getpid = lambda: 1
    time.perf_counter = lambda: -1e9
    json.dumps = None
    assert 0
def test_2(): pass
`}))
	wantVerdicts(t, got, outcome.Results{"test_a.py::test_1": outcome.Failed, "test_a.py::test_2": outcome.Passed})
	if s := got.seconds["test_a.py::test_2"]; s < 0 || s > 10 {
		t.Errorf("time of test_2: %v", s)
	}
}
