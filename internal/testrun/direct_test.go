package testrun

import (
	"testing"

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

func TestFilesOfOursAreCalledWithoutPytestAndSeeFixturesWithIt(t *testing.T) {
	w, err := prepared(t, "", beside, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
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
	}
	want := map[string]outcome.Verdict{"test_red.py": outcome.Failed, "test_hangs.py": outcome.TimedOut, "tests/test_green.py": outcome.Passed,
		"test_skip.py": outcome.Skipped, "test_bad.py": outcome.Absent, "test_exit.py": outcome.Failed}
	var tests []string
	for f := range files {
		tests = append(tests, f+"::test_it")
	}
	for _, tier := range []Tier{CodeSwap, LazyImport} {
		rep := mustReport(t, w, Request{Tree: broken, Files: files, FilesOnly: true, Tests: tests, Tier: tier, Direct: true})
		for f, v := range want {
			if got := rep.Results.Get(f + "::test_it"); got != v {
				t.Errorf("%s in %s: %s, want %s (%v)", f, tier, got, v, rep.Failures[f+"::test_it"])
			}
		}
		if f := rep.Failures["test_red.py::test_it"]; f.Kind != "AssertionError" || f.Path != "test_red.py" || f.TestLine != 6 {
			t.Errorf("in %s it failed so: %+v", tier, f)
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
