package testrun

import (
	"sync"
	"testing"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/source"
)

var beside = map[string]string{
	"one.py":            "def one():\n    return 1\n\n\ndef twice():\n    return 2 * one()\n",
	"tests/__init__.py": "",
	"tests/help.py":     "WANT = 1\n",
	"tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef want():\n    return 1\n",
	"tests/test_one.py": "import one\n\n\ndef test_one(want):\n    assert one.one() == want\n",
}

var (
	besideOnce sync.Once
	besideWork *Workspace
	besideErr  error
)

// besideIt is one prepared workspace that several tests look at.
func besideIt(t *testing.T) *Workspace {
	t.Helper()
	besideOnce.Do(func() { besideWork, besideErr = prepared(t, "", beside, source.Options{}) })
	if besideErr != nil {
		t.Fatal(besideErr)
	}
	return besideWork
}

func TestFilesOfOursAreCalledWithoutPytestAndSeeFixturesWithIt(t *testing.T) {
	w := besideIt(t)
	broken := changed(t, w, "one.py", "return 1", "return 2")
	const file = "tests/test_of_ours.py"
	fixture := "import one\n\ndef test_it(want):\n    assert one.one() == want\n"
	for _, tier := range allTiers {
		rep := mustReport(t, w, Request{Tree: broken, Files: map[string]string{file: fixture}, FilesOnly: true, Tier: tier, Fresh: true, Brief: true})
		if id := file + "::test_it"; rep.Results.Get(id) != outcome.Failed || rep.Failures[id].Kind != "AssertionError" || rep.Tier != tier {
			t.Errorf("a file beside a conftest in %s: %v, %v", tier, rep.Results, rep.Failures)
		}
	}
	files := map[string]string{
		"test_red.py":         "import one\n\n\ndef test_it():\n    n = one.twice()\n    assert n == 2\n\ndef test_other(): undefined\n",
		"test_hangs.py":       "def test_it():\n    while True: pass\n",
		"tests/test_green.py": "import pytest\nfrom . import help\n\ndef test_it():\n    assert help.WANT == 1\n    with pytest.raises(ZeroDivisionError): 1 / 0\n",
		"test_skip.py":        "import pytest\n\ndef test_it(): pytest.skip()\n",
		"test_bad.py":         "import nothing_of_the_kind\n",
		"test_exit.py":        "import sys\n\ndef test_it(): sys.exit(3)\n",
		"test_case.py": "import one\nimport unittest\n\nclass Mixin:\n    def test_it(self):\n        self.assertEqual(one.one(), self.want)\n\n\nclass T(unittest.TestCase, Mixin):\n" +
			"    @classmethod\n    def setUpClass(cls):\n        cls.base = 0\n\n    def setUp(self):\n        self.want = self.base + 1\n",
		"test_class.py": "import one\n\nclass TestIt:\n    def test_it(self):\n        assert one.one() == 2\n",
	}
	want := map[string]outcome.Verdict{"test_red.py": outcome.Failed, "test_hangs.py": outcome.TimedOut, "tests/test_green.py": outcome.Passed,
		"test_skip.py": outcome.Skipped, "test_bad.py": outcome.Absent, "test_exit.py": outcome.Failed, "test_case.py": outcome.Failed, "test_class.py": outcome.Passed}
	ids := map[string]string{"test_case.py": "test_case.py::T::test_it", "test_class.py": "test_class.py::TestIt::test_it"}
	var tests []string
	for f := range files {
		if ids[f] == "" {
			ids[f] = f + "::test_it"
		}
		tests = append(tests, ids[f])
	}
	for _, tier := range []Tier{CodeSwap, LazyImport} {
		rep := mustReport(t, w, Request{Tree: broken, Files: files, FilesOnly: true, Tests: tests, Tier: tier, Direct: true})
		for f, v := range want {
			if got := rep.Results.Get(ids[f]); got != v {
				t.Errorf("%s in %s: %s, want %s (%v)", f, tier, got, v, rep.Failures[ids[f]])
			}
		}
		if f := rep.Failures["test_red.py::test_it"]; f.Kind != "AssertionError" || f.Path != "test_red.py" || f.TestLine != 6 {
			t.Errorf("in %s it failed so: %+v", tier, f)
		}
		if f := rep.Failures[ids["test_case.py"]]; f.Kind != "AssertionError" || f.Message != "2 != 1" || f.TestLine != 6 {
			t.Errorf("in %s a method failed so: %+v", tier, f)
		}
		if len(rep.Results) != len(want) || rep.Tier != tier {
			t.Errorf("%s: %v in %s", tier, rep.Results, rep.Tier)
		}
	}
	rep := mustReport(t, w, Request{Tree: broken, Files: map[string]string{file: fixture}, FilesOnly: true, Tests: []string{file + "::test_it"}, Tier: CodeSwap})
	if f := rep.Failures[file+"::test_it"]; rep.Cached != 0 || f.Kind != "AssertionError" {
		t.Errorf("what was said without pytest was kept: %+v", f)
	}
}

func TestAFailureOfASubTestSaysWhatFailedAndWhereInEveryTier(t *testing.T) {
	w := besideIt(t)
	broken := changed(t, w, "one.py", "return 1", "return 2")
	const file = "test_of_ours.py"
	code := "import one\nimport unittest\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        for i in range(3):\n            with self.subTest(i=i):\n                assert one.one() == 1\n" +
		"\n\ndef test_that(subtests):\n    for i in range(3):\n        with subtests.test(i=i):\n            assert one.one() == 1\n"
	for _, tier := range allTiers {
		for _, brief := range []bool{false, true} {
			rep := mustReport(t, w, Request{Tree: broken, Files: map[string]string{file: code}, FilesOnly: true, Tier: tier, Fresh: true, Brief: brief})
			for id, line := range map[string]int{"::T::test_it": 8, "::test_that": 14} {
				if f := rep.Failures[file+id]; rep.Results.Get(file+id) != outcome.Failed || f.Kind != "AssertionError" || f.Path != file || f.TestLine != line {
					t.Errorf("%s in %s, brief %v: %s, %+v", id, tier, brief, rep.Results.Get(file+id), f)
				}
			}
		}
	}
}

func TestAFailureReadsTheSameWithoutPytestInBothFastTiers(t *testing.T) {
	w := besideIt(t)
	broken := changed(t, w, "one.py", "return 1", "return 2")
	const file = "test_of_ours.py"
	code := "import one\n\n\ndef test_it():\n    got = {'a': [one.one(), one.twice()], 'b': 'x' * 50}\n    assert got == {'a': [1, 2], 'b': 'x' * 50}, 'told'\n\n\ndef test_plain():\n    assert one.one() + 1 == 2\n"
	for _, tier := range []Tier{CodeSwap, LazyImport} {
		for _, id := range []string{file + "::test_it", file + "::test_plain"} {
			req := Request{Tree: broken, Files: map[string]string{file: code}, Tests: []string{id}, FilesOnly: true, Tier: tier}
			want := mustReport(t, w, req).Failures[id]
			req.Direct = true
			for range 3 { // the file is compiled ahead from the second time on
				req.Fresh = true
				rep := mustReport(t, w, req)
				got := rep.Failures[id]
				if want.Kind != "AssertionError" || got.Kind != want.Kind || got.Message != want.Message || got.Line != want.Line || got.TestLine != want.TestLine || got.Text != "" {
					t.Errorf("%s in %s:\n%+v\nby pytest:\n%+v", id, tier, got, want)
				}
			}
		}
	}
}

func TestWhatIsSaidWithoutPytestIsKeptApart(t *testing.T) {
	w := besideIt(t)
	broken := changed(t, w, "one.py", "return 1", "return 2")
	const file = "test_of_ours.py"
	id := file + "::test_it"
	// A mark that pytest heeds tells the two apart; a test that hangs is past its deadline.
	marked := "import pytest\nimport one\n\n\n@pytest.mark.xfail\ndef test_it():\n    assert one.one() == 1\n"
	hung := "import one\n\n\ndef test_it():\n    while one.one() == 2: pass\n"
	short := func(string) time.Duration { return 200 * time.Millisecond }
	for _, c := range []struct {
		code           string
		direct, pytest outcome.Verdict
	}{{marked, outcome.Failed, outcome.Skipped}, {hung, outcome.TimedOut, outcome.TimedOut}} {
		for i := range 2 {
			for _, direct := range []bool{true, false} {
				rep := mustReport(t, w, Request{Tree: broken, Files: map[string]string{file: c.code}, Tests: []string{id}, FilesOnly: true, Tier: CodeSwap, Direct: direct, Deadline: short})
				want, cached := c.pytest, i == 1 && c.pytest != outcome.TimedOut
				if direct {
					want, cached = c.direct, i == 1
				}
				if got := rep.Results.Get(id); got != want || (rep.Cached == 1) != cached {
					t.Errorf("direct %v, time %d: %s, want %s; %d from the cache", direct, i, got, want, rep.Cached)
				}
			}
		}
	}
}
