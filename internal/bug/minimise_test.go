package bug_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// minimised makes the minimised test of one red test.
func minimised(t *testing.T, target bug.Target, broken *tree.Tree, id string) bug.RedTest {
	t.Helper()
	ctx := context.Background()
	rep, err := target.Judge.Run(ctx, testrun.Request{Tree: broken, Tests: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	if !rep.Results.Get(id).Red() {
		t.Fatalf("%s is %s on the broken tree", id, rep.Results.Get(id))
	}
	red, why, err := bug.Minimise(ctx, target.Judge, target.Snapshot.Tree, broken, id, rep.Failures[id], 0)
	if err != nil || why != "" {
		t.Fatal(err, why)
	}
	t.Logf("%d → %d statements, %s\n%s", red.Before, red.Statements, red.Path, red.Code)
	return red
}

func TestAMethodInheritedFromAnotherFileBecomesAShortFunction(t *testing.T) {
	target := bugtest.Prepare(t, inherited)
	broken := edit(t, target, "box.py", "self.items) - 1", "self.items) - 2")
	red := minimised(t, target, broken, "tests/test_box.py::BoxTest::test_last")
	if red.Statements > 6 || red.Statements >= red.Before {
		t.Errorf("%d statements of %d are left", red.Statements, red.Before)
	}
	for _, no := range []string{"unused", "test_other", "unittest", "class "} {
		if strings.Contains(red.Code, no) {
			t.Errorf("%q is left", no)
		}
	}
}

func TestAParametrisedTestIsReducedToItsFailingCase(t *testing.T) {
	target := bugtest.Prepare(t, parametrised)
	red := minimised(t, target, edit(t, target, "num.py", "n > 2", "n > 3"), "test_num.py::test_big[3-True]")
	if strings.Contains(red.Code, "(2, False)") || strings.Contains(red.Code, "numbers = ") {
		t.Error("more is left than the failing case")
	}
}

func TestATestThatHangsIsReducedToo(t *testing.T) {
	slow(t)
	target := bugtest.Prepare(t, hangs)
	red := minimised(t, target, edit(t, target, "loop.py", "i += 1", "i += 0"), "test_loop.py::test_count")
	if strings.Contains(red.Code, "test_zero") {
		t.Error("another test is left")
	}
}

func TestATestThatNeedsItsFoldersFixturesStaysBesideThem(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"one.py":            "def one():\n    return 1\n",
		"tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef want():\n    return 1\n",
		"tests/test_one.py": "import one\n\n\ndef test_one(want):\n    got = one.one()\n    spare = 3\n    assert got == want\n",
	})
	red := minimised(t, target, edit(t, target, "one.py", "return 1", "return 2"), "tests/test_one.py::test_one")
	if filepath.Dir(red.Path) != "tests" || strings.Contains(red.Code, "spare") {
		t.Errorf("it lies at %s", red.Path)
	}
}

func TestTheMinimisedTestTurnedAroundIsGreenOnTheBug(t *testing.T) {
	target := bugtest.Prepare(t, parametrised)
	broken := edit(t, target, "num.py", "n < 2", "n < 1")
	red := minimised(t, target, broken, "test_num.py::test_small")
	code, ok := red.Inverted()
	if !ok {
		t.Fatal("it cannot be turned around")
	}
	for name, tr := range map[string]*tree.Tree{"passed": broken, "failed": target.Snapshot.Tree} {
		rep, err := target.Judge.Run(context.Background(), testrun.Request{Tree: tr, FilesOnly: true, Files: map[string]string{red.Path: code}})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(rep.Results.Get(red.Test)); got != name {
			t.Errorf("got %s, want %s", got, name)
		}
	}
}

func TestATestThatFailsOtherwiseAloneIsReducedToThat(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"lazy.py":      "table = None\n\n\ndef get(k):\n    global table\n    if table is None:\n        table = {}\n        table.update(dict([('a', 1)]))\n    return table.get(k)\n",
		"test_lazy.py": "import lazy\n\n\ndef test_a():\n    assert lazy.get('a')\n\n\ndef test_b():\n    spare = 3\n    assert lazy.get('b') is None\n    assert lazy.get('a') == 1\n",
	})
	broken := edit(t, target, "lazy.py", "('a', 1)", "('a',)")
	// After test_a the table is there and empty.
	red, why, err := bug.Minimise(context.Background(), target.Judge, target.Snapshot.Tree, broken, "test_lazy.py::test_b", testrun.Failure{Kind: "AssertionError"}, 0)
	if err != nil || why != "" {
		t.Fatal(err, why)
	}
	if red.Failure.Kind != "ValueError" || red.Statements > 3 {
		t.Errorf("%s, %d statements:\n%s", red.Failure.Kind, red.Statements, red.Code)
	}
}

func TestATestThatCallsAnotherTestIsMeasuredWithIt(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"num.py": "def one(n):\n    return n\n\n\ndef two(n):\n    return n + 0\n",
		"test_num.py": "from num import one, two\n\n\ndef test_one(check=one):\n    got = []\n    for n in range(4):\n        if n % 2:\n            got.append(check(n))\n        else:\n" +
			"            got.extend([check(i) for i in got])\n    if got:\n        assert sum(got) < 9\n\n\ndef test_two():\n    test_one(check=two)\n",
	})
	red := minimised(t, target, edit(t, target, "num.py", "n + 0", "n + 1"), "test_num.py::test_two")
	if red.Before < 10 {
		t.Errorf("it came from %d statements, those that it calls left out", red.Before)
	}
}
