package testrun

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"breakfix/internal/outcome"
	"breakfix/internal/source"
	"breakfix/internal/tree"
	"github.com/google/go-cmp/cmp"
)

var stockFiles = map[string]string{
	"pytest.ini": "[pytest]\naddopts = --cov=stock --cov-report term -n 2 -x --maxfail=1 --cov-fail-under=99 --mypy -ra\n",
	"stock/__init__.py": `
from .count import total

def first(items):
    for x in items:
        return x
    return None
`,
	"stock/count.py": `
LIMIT = 100

def total(items):
    n = 0
    for x in items:
        n += x
    return n

def never():
    return 1
`,
	"stock/extra.py": "import a_module_that_nobody_has\n",
	"tests/test_stock.py": `
import os, subprocess, sys, time
import pytest
import stock

def test_total(): assert stock.total([1, 2]) == 3
def test_machine(): assert subprocess.check_output(["uname", "-s"])
def test_first(): assert stock.first([4, 5]) == 4
def test_nothing(): assert stock.first([]) is None
def test_red_on_the_base(): assert stock.first([1]) == 2
def test_child(): assert subprocess.run([sys.executable, "-c", "import stock; print(stock.LIMIT)"], capture_output=True).returncode in (0, 1)
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.parametrize("i", range(16))
def test_coin(i): assert os.urandom(1)[0] % 2
@pytest.mark.parametrize("t", [time.time_ns()])
def test_clock_in_its_name(t): pass
@pytest.mark.parametrize("i", range(30))
def test_many(i): assert stock.total([i]) == i
`,
	"tests/test_broken.py": "import a_module_that_nobody_has\ndef test_1(): pass\n",
}

var (
	stockOnce sync.Once
	stockWork *Workspace
	stockErr  error
)

// stock is one prepared workspace that several tests look at.
func stock(t *testing.T) *Workspace {
	t.Helper()
	stockOnce.Do(func() { stockWork, stockErr = prepared(t, "", stockFiles, source.Options{}) })
	if stockErr != nil {
		t.Fatal(stockErr)
	}
	return stockWork
}

func changed(t *testing.T, w *Workspace, p, from, to string) *tree.Tree {
	t.Helper()
	b, err := w.Snapshot.Tree.Read(p)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), from) {
		t.Fatalf("%s does not hold %q", p, from)
	}
	n, err := w.Snapshot.Tree.With(map[string]*tree.File{p: tree.Text(strings.Replace(string(b), from, to, 1))})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustReport(t *testing.T, w *Workspace, req Request) Report {
	t.Helper()
	rep, err := w.Run(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestTheBaselineNamesWhatIsFlakyRedAndBroken(t *testing.T) {
	w := stock(t)
	b := w.Base
	st := func(s string) string { return "tests/test_stock.py::" + s }
	if b.Results[st("test_red_on_the_base")] != outcome.Failed || b.Results[st("test_skipped")] != outcome.Skipped || b.Results[st("test_total")] != outcome.Passed {
		t.Errorf("results: %v", b.Results)
	}
	coins, clocks := 0, 0
	for _, f := range b.Flaky {
		switch {
		case strings.Contains(f.Test, "test_coin["):
			coins++
		case strings.Contains(f.Test, "test_clock_in_its_name["):
			clocks++
		default:
			t.Errorf("%s was set aside: %v", f.Test, f.Verdicts)
		}
		if _, ok := b.Results[f.Test]; ok {
			t.Errorf("%s is flaky and has a verdict", f.Test)
		}
	}
	if coins == 0 || clocks < 3 {
		t.Errorf("flaky: %v", b.Flaky)
	}
	if !strings.Contains(b.Broken["tests/test_broken.py"], "a_module_that_nobody_has") {
		t.Errorf("broken: %v", b.Broken)
	}
	if diff := cmp.Diff([]string{"import stock.extra"}, b.RunLeft); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{st("test_child")}, b.Spawns); diff != "" {
		t.Error(diff)
	}
}

func TestCoverageTellsWhichTestsRunALine(t *testing.T) {
	w := stock(t)
	st := func(s string) string { return "tests/test_stock.py::" + s }
	got := w.Covering("stock/__init__.py", 7, 7) // return None
	slices.Sort(got)
	if diff := cmp.Diff([]string{st("test_child"), st("test_nothing")}, got); diff != "" {
		t.Error(diff)
	}
	if n := len(w.Covering("stock/count.py", 7, 7)); n != 32 {
		t.Errorf("%d tests run the sum", n)
	}
	if got := w.Covering("stock/count.py", 11, 11); len(got) != 1 { // never called, but who knows what a child runs
		t.Errorf("a line that nothing runs: %v", got)
	}
	if !w.Imported("stock/count.py", 2, 2) || w.Imported("stock/count.py", 5, 8) {
		t.Error("import-time lines are wrong")
	}
	if diff := cmp.Diff([]int{5, 6, 7, 8}, w.LinesOf(st("test_total"))["stock/count.py"]); diff != "" {
		t.Error(diff)
	}
}

func TestABreakGoesRedAndIsAnsweredFromTheCacheAfterwards(t *testing.T) {
	w := stock(t)
	broken := changed(t, w, "stock/count.py", "n += x", "n -= x")
	ids := w.Covering("stock/count.py", 7, 7)
	rep := mustReport(t, w, Request{Tree: broken, Tests: ids})
	red := outcome.Red(w.Base.Results, rep.Results)
	if len(red) != 30 || rep.Cached != 0 || rep.Ran != len(ids) || !rep.Loaded || !rep.Complete { // all but test_many[0] and test_child
		t.Errorf("red %v, %+v", red, rep)
	}
	f := rep.Failures["tests/test_stock.py::test_total"]
	if f.Kind != "AssertionError" || f.Path != "tests/test_stock.py" || f.TestLine != 6 {
		t.Errorf("failure %+v", f)
	}
	again := mustReport(t, w, Request{Tree: broken, Tests: ids})
	if again.Ran != 0 || again.Cached != len(ids) {
		t.Errorf("ran %d, cached %d", again.Ran, again.Cached)
	}
	if diff := cmp.Diff(rep.Results, again.Results); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(rep.Failures, again.Failures); diff != "" {
		t.Error(diff)
	}
	whole := mustReport(t, w, Request{Tree: broken})
	if whole.Cached != len(ids) || whole.Ran != len(w.Base.Results)-len(ids) {
		t.Errorf("the suite ran %d, cached %d", whole.Ran, whole.Cached)
	}
	if fresh := mustReport(t, w, Request{Tree: broken, Tests: ids[:1], Fresh: true}); fresh.Ran != 1 || fresh.Cached != 0 {
		t.Errorf("fresh ran %d, cached %d", fresh.Ran, fresh.Cached)
	}
}

func TestTheSameRequestAtTheSameTimeIsRunOnce(t *testing.T) {
	w := stock(t)
	broken := changed(t, w, "stock/count.py", "n = 0", "n = 1")
	var wg sync.WaitGroup
	reps := make([]Report, 4)
	for i := range reps {
		wg.Go(func() { reps[i], _ = w.Run(context.Background(), Request{Tree: broken}) })
	}
	wg.Wait()
	ran := 0
	for _, r := range reps {
		ran += r.Ran
		if len(r.Results) != len(w.Base.Results) {
			t.Errorf("%d results", len(r.Results))
		}
	}
	if ran != len(w.Base.Results) {
		t.Errorf("%d verdicts were run for %d tests", ran, len(w.Base.Results))
	}
}

func TestFilesOfOursRunBesideTheSuiteAndAlone(t *testing.T) {
	w := stock(t)
	files := map[string]string{"test_breakfix_a.py": "import stock\ndef test_it(): assert stock.total([2]) == 2\ndef test_red(): assert 0\n",
		"tests/test_breakfix_b.py": "import nothing_like_it\ndef test_it(): pass\n"}
	for range 2 { // the second time from the cache
		rep := mustReport(t, w, Request{Tree: w.Snapshot.Tree, Files: files, FilesOnly: true})
		want := outcome.Results{"test_breakfix_a.py::test_it": outcome.Passed, "test_breakfix_a.py::test_red": outcome.Failed}
		if diff := cmp.Diff(want, rep.Results); diff != "" {
			t.Error(diff)
		}
		if u := rep.Uncollected["tests/test_breakfix_b.py"]; u.Kind != "ModuleNotFoundError" || !rep.Loaded {
			t.Errorf("uncollected %v, loaded %v", rep.Uncollected, rep.Loaded)
		}
	}
	rep := mustReport(t, w, Request{Tree: w.Snapshot.Tree, Tests: []string{"tests/test_stock.py::test_first"}, Files: files})
	if len(rep.Results) != 3 || rep.Cached != 2 || rep.Results["tests/test_stock.py::test_first"] != outcome.Passed {
		t.Errorf("%v, cached %d", rep.Results, rep.Cached)
	}
	one := mustReport(t, w, Request{Tree: changed(t, w, "stock/count.py", "n = 0", "n = 2"), Files: files, FilesOnly: true, Tests: []string{"test_breakfix_a.py::test_it", "test_breakfix_a.py::test_gone"}})
	if diff := cmp.Diff(outcome.Results{"test_breakfix_a.py::test_it": outcome.Failed, "test_breakfix_a.py::test_gone": outcome.Absent}, one.Results); diff != "" {
		t.Error(diff)
	}
	if _, err := w.Run(context.Background(), Request{Tree: w.Snapshot.Tree, Files: map[string]string{"tests/test_stock.py": ""}, FilesOnly: true}); err == nil {
		t.Error("a file that the tree has was shadowed")
	}
}

func TestAFailureIsToldInTheSameWordsEachTime(t *testing.T) {
	w := stock(t)
	files := map[string]string{"test_breakfix_a.py": "import itertools\ndef f(): pass\ndef test_slice(): assert itertools.islice([], 1) == ()\n" +
		"def test_name():\n    def inside_of_a_test(): pass\n    assert str(None) == str(inside_of_a_test)\ndef test_whole(): assert repr(f) == 1\n"}
	var reps [2]Report
	for i := range reps {
		reps[i] = mustReport(t, w, Request{Tree: w.Snapshot.Tree, Files: files, FilesOnly: true, Fresh: true})
	}
	if len(reps[0].Failures) != 3 {
		t.Fatalf("%v", reps[0].Results)
	}
	for id, f := range reps[0].Failures { // objects are elsewhere each time, and pytest cuts long texts in the middle
		if again := reps[1].Failures[id]; f.Message != again.Message || f.Text != again.Text || !strings.Contains(f.Message, "…>") {
			t.Errorf("%s and then %s", f.Message, again.Message)
		}
	}
}

func TestATreeThatDoesNotLoadSaysSo(t *testing.T) {
	w := stock(t)
	for name, broken := range map[string]*tree.Tree{
		"syntax":  changed(t, w, "stock/count.py", "LIMIT = 100", "LIMIT = "),
		"leaves":  changed(t, w, "stock/count.py", "LIMIT = 100", "import os; os._exit(0)"),
		"missing": changed(t, w, "stock/__init__.py", "import total", "import total, gone"),
	} {
		for range 2 {
			rep := mustReport(t, w, Request{Tree: broken})
			if rep.Loaded || rep.LoadError == "" || len(rep.Results) != len(w.Base.Results) || len(rep.Results.Passed()) != 0 || len(rep.Results.Reds()) != 0 {
				t.Errorf("%s: loaded %v, %q, passed %v", name, rep.Loaded, rep.LoadError, rep.Results.Passed())
			}
		}
	}
}

func TestRemovedTestFilesMakeTheirTestsAbsent(t *testing.T) {
	w := stock(t)
	gone, err := w.Snapshot.Tree.With(map[string]*tree.File{"tests/test_stock.py": nil})
	if err != nil {
		t.Fatal(err)
	}
	rep := mustReport(t, w, Request{Tree: gone, Tests: []string{"tests/test_stock.py::test_first"}})
	if rep.Results["tests/test_stock.py::test_first"] != outcome.Absent {
		t.Error(rep.Results)
	}
}

func TestLintersFindWhatIsNewAndOnlyThat(t *testing.T) {
	w := stock(t)
	ctx := context.Background()
	broken := changed(t, w, "stock/count.py", "def total(items):", "# a line more\n\ndef added(x: int) -> str:\n    unused = undefined_thing\n    return x\n\ndef total(items):")
	lint, err := w.Lint(ctx, broken)
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, f := range NewFindings(w.Base.Lint, lint) {
		rules = append(rules, f.Rule)
	}
	if diff := cmp.Diff([]string{"undefined-variable", "unused-variable"}, rules); diff != "" {
		t.Error(diff)
	}
	types, err := w.Types(ctx, broken)
	if err != nil {
		t.Fatal(err)
	}
	rules = nil
	for _, f := range NewFindings(w.Base.Types, types) {
		rules = append(rules, f.Rule)
	}
	if diff := cmp.Diff([]string{"name-defined", "return-value"}, rules); diff != "" {
		t.Error(diff)
	}
	same, err := w.Lint(ctx, w.Snapshot.Tree)
	if err != nil || len(NewFindings(w.Base.Lint, same)) != 0 {
		t.Errorf("the base has new findings: %v %v", same, err)
	}
	if types, err = w.Types(ctx, changed(t, w, "stock/count.py", "LIMIT = 100", "LIMIT = ")); err != nil || len(NewFindings(w.Base.Types, types)) == 0 {
		t.Errorf("a syntax error: %v %v", types, err)
	}
}

func TestADeadLinterIsAnErrorOfOurs(t *testing.T) {
	w := stock(t)
	l := w.lint
	l.dir, l.warm = t.TempDir(), nil // no python in it
	if _, err := l.pylint(context.Background(), w.Snapshot.Tree, []string{"stock/count.py"}); err == nil {
		t.Error("a pylint that does not start found nothing, and was believed")
	}
	if _, err := l.mypy(context.Background(), w.Snapshot.Tree, []string{"stock/count.py"}); err == nil {
		t.Error("a mypy that does not start found nothing, and was believed")
	}
}

func TestTheSmokeRunNamesWhatCrashesOrHangs(t *testing.T) {
	w := eager(t, stock(t))
	for name, c := range map[string]struct{ to, want string }{
		"base":    {"LIMIT = 100", ""},
		"raises":  {"LIMIT = {}['x']", "import stock raised KeyError"},
		"dies":    {"import os; os._exit(0)", "import stock the process died"},
		"signal":  {"import os; os.kill(os.getpid(), 11)", "import stock the process died: signal 11"},
		"hanging": {"while True: pass", "import stock hangs"},
	} {
		for _, fresh := range []bool{false, true} { // in this order: a fresh answer serves both
			why, err := w.Smoke(context.Background(), changed(t, w, "stock/count.py", "LIMIT = 100", c.to), fresh)
			if err != nil || !strings.HasPrefix(why, c.want) || (c.want == "") != (why == "") {
				t.Errorf("%s, fresh %v: %q, %v", name, fresh, why, err)
			}
		}
	}
}

func TestASuiteThatCannotBePlayedIsATargetError(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"red":               {map[string]string{"pkg.py": "x = 1\n", "test_a.py": "def test_1(): assert 0\ndef test_2(): assert 0\ndef test_3(): pass\n"}, "only 1 of 3 tests pass on the base, fewer than half: red are test_a.py::test_1, test_a.py::test_2"},
		"broken":            {map[string]string{"pkg.py": "x = = 1\n", "test_a.py": "import pkg\ndef test_1(): pass\n"}, "none of its 1 test files can be collected: test_a.py: SyntaxError"},
		"no tests":          {map[string]string{"pkg.py": "x = 1\n", "test_a.py": "import pkg\n"}, "it has no tests that pytest finds"},
		"odd configuration": {map[string]string{"pkg.py": "x = 1\n", "pyproject.toml": "[tool.pytest.ini_options]\naddopts = 'unclosed \"quote'\n", "test_a.py": "def test_1(): pass\n"}, "pytest cannot read pyproject.toml"},
	} {
		_, err := prepared(t, "", c.files, source.Options{})
		var target *source.TargetError
		if !errors.As(err, &target) || !strings.HasPrefix(err.Error(), c.want) || target.Log == "" || target.Next == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATestThatHungBeforeHasAShorterDeadline(t *testing.T) {
	w := stock(t)
	const test = "tests/test_stock.py::test_total"
	broken := changed(t, w, "stock/count.py", "        n += x\n", "        while True: pass\n")
	rep := mustReport(t, w, Request{Tree: broken, Tests: []string{test}, Hung: []string{test}, Fresh: true, Tier: CodeSwap})
	if v, s := rep.Results.Get(test), rep.Seconds[test]; v != outcome.TimedOut || s != w.tight(test).Seconds() || s >= w.Deadline(test).Seconds() {
		t.Errorf("it is %s after %.1f s", v, s)
	}
}
