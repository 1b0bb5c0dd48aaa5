package bug_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// hung counts the files of ours that were past their deadline, and all that were run.
type hung struct {
	bug.Judge
	hung, files int
}

func (h *hung) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	rep, err := h.Judge.Run(ctx, req)
	if req.FilesOnly {
		h.files += len(req.Files)
		for _, v := range rep.Results {
			if v == outcome.TimedOut {
				h.hung++
			}
		}
	}
	return rep, err
}

func minimiseCounted(t *testing.T, files map[string]string, path, old, new, id string, failure testrun.Failure, takes time.Duration) (bug.RedTest, *hung) {
	t.Helper()
	target := bugtest.Prepare(t, files)
	broken := edit(t, target, path, old, new)
	h := &hung{Judge: target.Judge}
	red, why, err := bug.Minimise(t.Context(), h, target.Snapshot.Tree, broken, id, failure, takes)
	if err != nil || why != "" {
		t.Fatal(err, why)
	}
	t.Logf("%d → %d statements, %d files, %d hung\n%s", red.Before, red.Statements, h.files, h.hung, red.Code)
	return red, h
}

func TestATestThatHangsIsReducedInFewRunsThatHang(t *testing.T) {
	red, h := minimiseCounted(t, map[string]string{
		"loop.py": "import time\n\n\ndef count(n):\n    i = 0\n    while i < n:\n        i += 1\n        time.sleep(.01)\n    return i\n",
		"test_loop.py": "import unittest\nfrom loop import count\n\n\nclass LoopTest(unittest.TestCase):\n    def test_zero(self):\n        self.assertEqual(count(0), 0)\n\n" +
			"    def test_count(self):\n        a = 1\n        b = 2\n        c = 3\n        if a:\n            b = 3\n        self.assertEqual(b, c)\n        self.assertEqual(count(c), 3)\n        d = 4\n        self.assertEqual(d, 4)\n",
	}, "loop.py", "i += 1", "i += 0", "test_loop.py::LoopTest::test_count", testrun.Failure{Kind: testrun.KindTimedOut}, 0)
	if red.Statements > 3 || h.hung > 8 {
		t.Errorf("%d statements, %d runs that hung", red.Statements, h.hung)
	}
}

func TestVariantsThatHangAreTriedLastAndAreFew(t *testing.T) {
	red, h := minimiseCounted(t, map[string]string{
		"num.py": "def two(n):\n    return n + 0\n",
		"test_num.py": "import time\nfrom num import two\n\n\ndef test_two():\n    got = []\n    i = 0\n    while i < 4:\n        got.append(two(i))\n        spare = 1\n        i += 1\n        time.sleep(.001)\n" +
			"    j = 0\n    while j < 2:\n        j += 1\n        time.sleep(.001)\n    assert j == 2\n    assert got == [0, 1, 2, 3]\n",
	}, "num.py", "n + 0", "n + 1", "test_num.py::test_two", testrun.Failure{Kind: "AssertionError", Frames: []testrun.Frame{{Path: "test_num.py", Line: 18, Func: "test_two"}}}, 0)
	if h.hung > 8 || strings.Contains(red.Code, "spare") || strings.Contains(red.Code, "j ") {
		t.Errorf("%d runs that hung", h.hung)
	}
}

func TestASlowTestIsMadeFastFirst(t *testing.T) {
	files := map[string]string{
		"num.py": "def two(n):\n    return n + 0\n\n\ndef limit():\n    return 400\n",
		"test_num.py": "import time\nimport num\n\n\ndef test_two():\n    n = num.limit()\n    got = []\n    for i in range(n):\n        time.sleep(.001)\n        got.append(num.two(i))\n" +
			"        spare = i\n    others = list(got)\n    others.reverse()\n    assert len(others) == n\n    assert got == list(range(n))\n",
	}
	failure := testrun.Failure{Kind: "AssertionError", Frames: []testrun.Frame{{Path: "test_num.py", Line: 15, Func: "test_two"}}}
	red, _ := minimiseCounted(t, files, "num.py", "n + 0", "n + 1", "test_num.py::test_two", failure, 400*time.Millisecond)
	if strings.Contains(red.Code, "limit") || strings.Contains(red.Code, "spare") || red.Statements > 6 {
		t.Errorf("%d statements are left", red.Statements)
	}
}

func TestTheSearchOfASlowTestIsBounded(t *testing.T) {
	test := "from num import start, two\n\n\ndef test_two():\n    got = start()\n"
	for i := range 40 {
		test += fmt.Sprintf("    got.append(two(%d))\n", i%8)
	}
	files := map[string]string{
		"num.py":      "import time\n\n\ndef start():\n    time.sleep(.12)\n    return []\n\n\ndef two(n):\n    return n + 0\n",
		"test_num.py": test + "    assert sum(got) == 140\n",
	}
	_, h := minimiseCounted(t, files, "num.py", "n + 0", "n + 1", "test_num.py::test_two", testrun.Failure{Kind: "AssertionError"}, 400*time.Millisecond)
	if h.files > 40 {
		t.Errorf("%d files were run", h.files)
	}
}
