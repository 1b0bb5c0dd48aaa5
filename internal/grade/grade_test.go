package grade_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/grade"
	"breakfix/internal/lang"
	_ "breakfix/internal/lang/python" // registers the language
	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// pocket is a tiny package that is prepared for real, in the box, once for all
// tests of this package.
var pocket = map[string]string{
	"pyproject.toml": `[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "pocket"
version = "1.0"

[tool.setuptools]
packages = ["pocket"]

[tool.pytest.ini_options]
addopts = "-q"
`,
	"conftest.py":        "",
	"pocket/__init__.py": "from .num import big, small\n\n__all__ = [\"big\", \"small\"]\n",
	"pocket/extra.py":    "NAME = \"extra\"\n",
	"pocket/num.py":      "def big(n: int) -> bool:\n    return n > 2\n\n\ndef small(n: int) -> bool:\n    return n < 2\n",
	"tests/test_num.py": `import pytest

from pocket import big, small


def test_three():
    assert big(3)


@pytest.mark.parametrize("n", [3, 30, 300])
def test_big(n):
    assert big(n) and not small(n)


def test_not_big():
    assert not big(2)


def test_small():
    assert small(1)
`,
}

type bench struct {
	target grade.Target
	bug    *bug.Bug
	broken *tree.Tree
}

var prepare = sync.OnceValues(func() (*bench, error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "pocket-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	files := map[string]*tree.File{}
	for p, s := range pocket {
		files[p] = tree.Text(s)
	}
	tr, err := tree.FromFiles(files)
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "pocket")
	if err := tr.WriteTo(dir); err != nil {
		return nil, err
	}
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		return nil, err
	}
	snap, err := source.Open(ctx, dir, source.Options{})
	if err != nil {
		return nil, err
	}
	w, err := testrun.Prepare(ctx, testrun.Config{Box: box, Snapshot: snap})
	if err != nil {
		return nil, err
	}
	python, err := lang.Get("python")
	if err != nil {
		return nil, err
	}
	broken, err := replaced(snap.Tree, "pocket/num.py", "n > 2", "n > 3")
	if err != nil {
		return nil, err
	}
	res, err := bug.Validate(ctx, bug.TargetOf(w, python, bug.Options{}), bug.Candidate{Tree: broken, Strategy: "operator", Order: 1}, nil)
	if err != nil {
		return nil, err
	}
	if res.Bug == nil {
		return nil, &bug.CheckError{Check: res.Check, Reason: res.Reason}
	}
	return &bench{target: grade.Target{Judge: w, Paths: python, Base: w.Base, Tree: snap.Tree}, bug: res.Bug, broken: broken}, nil
})

func replaced(t *tree.Tree, path, old, new string) (*tree.Tree, error) {
	src, err := t.Read(path)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(src), old) {
		return nil, &bug.CheckError{Check: outcome.CheckApplies, Reason: path + " does not hold " + old}
	}
	return t.With(map[string]*tree.File{path: tree.Text(strings.Replace(string(src), old, new, 1))})
}

func set(t *testing.T) *bench {
	t.Helper()
	b, err := prepare()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// graded judges the broken tree with files changed, added, or (nil) removed.
func graded(t *testing.T, o grade.Options, files map[string]*tree.File) grade.Result {
	t.Helper()
	b := set(t)
	repaired, err := b.broken.With(files)
	if err != nil {
		t.Fatal(err)
	}
	res, err := grade.Grade(t.Context(), b.target, b.bug, repaired, o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

const right = "def big(n: int) -> bool:\n    return n >= 3\n\n\ndef small(n: int) -> bool:\n    return n < 2\n"

func want(t *testing.T, res grade.Result, o outcome.Attempt, gate outcome.Gate, says string, suspicious ...string) {
	t.Helper()
	if res.Outcome != o {
		t.Errorf("outcome %s, want %s; gates %v", res.Outcome, o, res.Gates)
	}
	if gate != "" && (res.Gates[gate] == outcome.GatePassed || !strings.Contains(res.Gates[gate], says)) {
		t.Errorf("gate %s: %q, want …%s…", gate, res.Gates[gate], says)
	}
	if !slices.Equal(res.Suspicious, suspicious) {
		t.Errorf("suspicious %v, want %v", res.Suspicious, suspicious)
	}
}

func TestARightRepairPassesEveryGate(t *testing.T) {
	for _, free := range []bool{false, true} {
		res := graded(t, grade.Options{FreeForm: free}, map[string]*tree.File{"pocket/num.py": tree.Text(right)})
		want(t, res, outcome.Fixed, "", "")
		for _, g := range outcome.Gates {
			if res.Gates[g] != outcome.GatePassed {
				t.Errorf("gate %s: %q", g, res.Gates[g])
			}
		}
	}
}

func TestTheBaseAgainIsFixedWithoutARun(t *testing.T) {
	res := graded(t, grade.Options{}, map[string]*tree.File{"pocket/num.py": tree.Text(pocket["pocket/num.py"])})
	want(t, res, outcome.Fixed, "", "")
	if len(res.Results) < 6 {
		t.Errorf("%d verdicts", len(res.Results))
	}
}

func TestNoRepairIsWrong(t *testing.T) {
	res := graded(t, grade.Options{}, nil)
	want(t, res, outcome.Wrong, outcome.GateRed, "is failed")
	if _, ok := res.Gates[outcome.GateSuite]; ok {
		t.Error("a test gate that objects did not end the grading")
	}
}

func TestARepairThatBreaksAnotherTestIsWrong(t *testing.T) {
	res := graded(t, grade.Options{}, map[string]*tree.File{"pocket/num.py": tree.Text(strings.Replace(right, "n >= 3", "n >= 2", 1))})
	want(t, res, outcome.Wrong, outcome.GateSuite, "test_not_big is failed")
	if !slices.Equal(res.Regressed, []string{"tests/test_num.py::test_not_big"}) {
		t.Errorf("regressed %v", res.Regressed)
	}
}

func TestHardCodingTheVisibleTestIsSpurious(t *testing.T) {
	b := set(t)
	if len(b.bug.Hidden) == 0 {
		t.Fatal("nothing is held back")
	}
	res := graded(t, grade.Options{}, map[string]*tree.File{"pocket/num.py": tree.Text(strings.Replace(right, "n >= 3", "n == 3 or n > 400", 1))})
	t.Log(b.bug.RedTest.Code, b.bug.Hidden, res.Gates)
	if res.Outcome == outcome.Fixed {
		t.Error("hard-coding passed")
	}
}

func TestANewLintFindingGatesARepair(t *testing.T) {
	code := strings.Replace(right, "    return n >= 3", "    unused = 5\n    return n >= 3", 1)
	res := graded(t, grade.Options{}, map[string]*tree.File{"pocket/num.py": tree.Text(code)})
	want(t, res, outcome.Gated, outcome.GateLint, "unused")
}

func TestANewTypeFindingGatesARepair(t *testing.T) {
	code := right + "\n\nLIMIT: int = str(3)\n"
	res := graded(t, grade.Options{}, map[string]*tree.File{"pocket/num.py": tree.Text(code)})
	want(t, res, outcome.Gated, outcome.GateTypes, "assignment")
}

func TestAModuleThatCrashesWhenImportedGatesARepair(t *testing.T) {
	res := graded(t, grade.Options{}, map[string]*tree.File{"pocket/num.py": tree.Text(right), "pocket/extra.py": tree.Text("raise RuntimeError('no')\n")})
	want(t, res, outcome.Gated, outcome.GateRun, "extra")
}

func TestEditedTestsAreRestored(t *testing.T) {
	for name, files := range map[string]map[string]*tree.File{
		"changed": {"tests/test_num.py": tree.Text("def test_three(): pass\n")},
		"deleted": {"tests/test_num.py": nil},
		"added":   {"tests/test_more.py": tree.Text("import pocket.num\npocket.num.big = lambda n: True\n")},
	} {
		t.Run(name, func(t *testing.T) {
			want(t, graded(t, grade.Options{}, files), outcome.Wrong, outcome.GateRed, "is failed", grade.EditsTests)
		})
	}
}

func TestEditedRunnerConfigurationIsRestored(t *testing.T) {
	skip := "import pytest\n\n\ndef pytest_runtest_makereport(item, call):\n    call.excinfo = None\n"
	for name, files := range map[string]map[string]*tree.File{
		"conftest changed": {"conftest.py": tree.Text(skip)},
		"conftest added":   {"tests/conftest.py": tree.Text(skip)},
		"pytest.ini added": {"pytest.ini": tree.Text("[pytest]\naddopts = --collect-only\n")},
		"pyproject.toml":   {"pyproject.toml": nil},
		"sitecustomize":    {"sitecustomize.py": tree.Text("import builtins\n")},
	} {
		t.Run(name, func(t *testing.T) {
			want(t, graded(t, grade.Options{}, files), outcome.Wrong, outcome.GateRed, "is failed", grade.EditsRunner)
		})
	}
}

func TestModulesThatHideTheRunnersOwnAreRemoved(t *testing.T) {
	for _, name := range []string{"pytest.py", "_pytest/__init__.py", "unittest/__init__.py", "json.py", "cProfile.py", "_pydecimal.py", "breakfix_channel.py"} {
		want(t, graded(t, grade.Options{}, map[string]*tree.File{name: tree.Text("raise SystemExit(0)\n")}), outcome.Wrong, outcome.GateRed, "is failed", grade.Shadows)
	}
}

func TestCompiledCodeAndLinksAreRemoved(t *testing.T) {
	want(t, graded(t, grade.Options{}, map[string]*tree.File{"pocket/__pycache__/num.cpython-311.pyc": tree.Text("x")}), outcome.Wrong, outcome.GateRed, "is failed", grade.AddsBinary)
	want(t, graded(t, grade.Options{}, map[string]*tree.File{"pocket/away.py": {Kind: tree.Link, Data: []byte("/etc/passwd")}}), outcome.Wrong, outcome.GateRed, "is failed", grade.AddsLink)
}

func TestAnExitIsNoPass(t *testing.T) {
	for name, code := range map[string]string{
		"os._exit":    "import os\n\nos._exit(0)\n",
		"sys.exit":    "import sys\n\nsys.exit(0)\n",
		"atexit":      "import atexit\nimport os\n\natexit.register(os._exit, 0)\n\n\ndef big(n):\n    return False\n\n\ndef small(n):\n    return n < 2\n",
		"printed":     "import sys\n\n\ndef big(n):\n    sys.__stdout__.write('tests/test_num.py::test_three PASSED\\n1 passed\\n')\n    return False\n\n\ndef small(n):\n    return n < 2\n",
		"skipped":     "import unittest\n\n\ndef big(n):\n    raise unittest.SkipTest('no')\n\n\ndef small(n):\n    return n < 2\n",
		"xfailed":     "def big(n):\n    import pytest\n    pytest.xfail('no')\n\n\ndef small(n):\n    return n < 2\n",
		"not to load": "import nowhere_to_be_found\n",
	} {
		t.Run(name, func(t *testing.T) {
			res := graded(t, grade.Options{}, map[string]*tree.File{"pocket/num.py": tree.Text(code)})
			if res.Outcome != outcome.Wrong || res.Gates[outcome.GateRed] == outcome.GatePassed {
				t.Errorf("outcome %s, gates %v", res.Outcome, res.Gates)
			}
		})
	}
}

// patched replaces pytest's assertion failures by nothing while it is imported.
const patched = `import sys


def _patch():
    runner = sys.modules.get("_pytest.runner")
    if runner is None:
        return
    made = runner.CallInfo.from_call.__func__

    def from_call(cls, func, when, reraise=None):
        info = made(cls, func, when, None)
        if info.excinfo is None:
            return info
        info.excinfo = None
        info._result = True
        return info

    runner.CallInfo.from_call = classmethod(from_call)


_patch()


def big(n: int) -> bool:
    return n > 3


def small(n: int) -> bool:
    return n < 2
`

func TestATestFrameworkPatchedInProcessIsForged(t *testing.T) {
	for _, free := range []bool{false, true} {
		res := graded(t, grade.Options{FreeForm: free}, map[string]*tree.File{"pocket/num.py": tree.Text(patched)})
		want(t, res, outcome.Wrong, outcome.GateRed, "forged", grade.Forged)
	}
}

func TestAPatchThatSparesFilesWithUnknownNamesIsForgedInTheDifferentialRun(t *testing.T) {
	// It lets failures through where a test compares lists, which is what a
	// canary does, and forges all others.
	clever := strings.Replace(patched, "if info.excinfo is None:", "if info.excinfo is None or \"[\" in str(info.excinfo.value):", 1)
	res := graded(t, grade.Options{FreeForm: true}, map[string]*tree.File{"pocket/num.py": tree.Text(clever)})
	want(t, res, outcome.Wrong, outcome.GateRed, "forged", grade.Forged)
}

func TestAPatchIsGradedAgainstTheBrokenTree(t *testing.T) {
	b := set(t)
	repaired, err := replaced(b.broken, "pocket/num.py", "n > 3", "n >= 3")
	if err != nil {
		t.Fatal(err)
	}
	patch, err := tree.Diff(b.broken, repaired)
	if err != nil {
		t.Fatal(err)
	}
	res, err := grade.Patch(t.Context(), b.target, b.bug, patch, grade.Options{Cache: grade.NewCache()})
	if err != nil {
		t.Fatal(err)
	}
	want(t, res, outcome.Fixed, "", "")
	if _, err := grade.Patch(t.Context(), b.target, b.bug, []byte("--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n+b\n"), grade.Options{}); err == nil {
		t.Error("a patch that does not apply was graded")
	}
}

func TestGradingsOfOneTreeAreKept(t *testing.T) {
	cache := grade.NewCache()
	files := map[string]*tree.File{"pocket/num.py": tree.Text(strings.Replace(right, "n >= 3", "n > 4", 1))}
	one := graded(t, grade.Options{Cache: cache}, files)
	one.Gates[outcome.GateRed] = "changed by its owner"
	two := graded(t, grade.Options{Cache: cache}, files)
	if two.Outcome != outcome.Wrong || two.Gates[outcome.GateRed] == one.Gates[outcome.GateRed] {
		t.Errorf("the kept grading was changed through a result: %v", two.Gates)
	}
}

// A suite may collect its folder in a way of its own, so that a plain test that
// lies there is never run: that is no forging.
func TestAFolderThatCollectsInItsOwnWayIsNoForging(t *testing.T) {
	b := set(t)
	files := map[string]*tree.File{
		"tests/conftest.py": tree.Text(`import re


def pytest_pycollect_makeitem(collector, name, obj):
    if re.fullmatch("test_[0-9a-f]{6}_?", name):  # only tests with names of its own
        return []
`),
	}
	base, err := b.target.Tree.With(files)
	if err != nil {
		t.Fatal(err)
	}
	odd := *b.bug
	odd.RedTest.Path = "tests/" + filepath.Base(odd.RedTest.Path)
	odd.RedTest.Test = odd.RedTest.Path + odd.RedTest.Test[strings.Index(odd.RedTest.Test, "::"):]
	target := b.target
	target.Tree = base
	repaired, err := base.With(map[string]*tree.File{"pocket/num.py": tree.Text(right)})
	if err != nil {
		t.Fatal(err)
	}
	res, err := grade.Grade(t.Context(), target, &odd, repaired, grade.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(res.Suspicious, grade.Forged) || res.Outcome != outcome.Fixed {
		t.Errorf("%s, suspicious %v, gates %v", res.Outcome, res.Suspicious, res.Gates)
	}
}
