package testrun

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"breakfix/internal/outcome"
)

// crowd is a package whose constants all tests load and few use, in three files.
func crowd(t *testing.T) *Workspace {
	t.Helper()
	many := func(name string) string {
		return "import pytest, pkg\n@pytest.mark.parametrize('n', range(15))\ndef test_" + name + "(n): assert pkg.other(n) == n\n"
	}
	w, err := preparedLazily(t, "", map[string]string{
		"pkg.py":       "RATE = 3\nNAMES = ['a', 'b']\n\ndef rated(x):\n    return x * RATE\n\ndef other(x):\n    return x\n",
		"test_many.py": many("many"),
		"test_more.py": many("more"),
		"test_rate.py": "import pytest, pkg\ndef test_rated():\n    assert pkg.rated(2) == 6\n@pytest.mark.parametrize('name', pkg.NAMES, ids=lambda n: n.lower())\ndef test_names(name): assert name\ndef test_rest(): assert len(pkg.NAMES) == 2\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWhereOneRedTestDecidesTheLikeliestComeFirst(t *testing.T) {
	w := crowd(t)
	all := sortedKeys(w.Base.Results)
	c, err := w.changeOf(changed(t, w, "pkg.py", "RATE = 3", "RATE = 4"))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.likeliestFirst(c, all); got[0] != "test_rate.py::test_rated" {
		t.Errorf("of a constant that one test uses, the first asked is %s", got[0])
	}
	if got := w.likeliestFirst(nil, all); !slices.Equal(got, w.fastestFirst(all)) {
		t.Error("without a change it is not the fastest that comes first")
	}
	rep := mustReport(t, w, Request{Tree: changed(t, w, "pkg.py", "RATE = 3", "RATE = 4"), Tier: LazyImport, Decide: true, Fresh: true})
	if n := rep.Ran; rep.Results.Get("test_rate.py::test_rated") != outcome.Failed || n > firstFew {
		t.Errorf("%d tests ran: %v", n, rep.Results)
	}
}

func TestAskedForFewTestsAProcessStillLoadsTheFilesOfAll(t *testing.T) {
	w := crowd(t)
	for _, c := range []struct {
		name, from, to string
		red            string
		loads          bool
	}{
		{"nothing red", "NAMES = ['a', 'b']", "NAMES = ['a', 'b'] + []", "", true},
		{"a test of the last ones asked", "NAMES = ['a', 'b']", "NAMES = ['b']", "test_rate.py::test_rest", true},
		{"a file that does not load", "RATE = 3\nNAMES = ['a', 'b']\n", "RATE = 4\n", "", false},
		{"parameters that cannot be made", "NAMES = ['a', 'b']", "NAMES = [1, 2]", "", false},
	} {
		broken := changed(t, w, "pkg.py", c.from, c.to)
		for _, tier := range []Tier{LazyImport, FreshProcess} {
			rep := mustReport(t, w, Request{Tree: broken, Tier: tier, Decide: true, Fresh: true})
			if rep.Loaded != c.loads || rep.Tier != tier {
				t.Errorf("%s, %s: loaded %v (%s) in %s", c.name, tier, rep.Loaded, rep.LoadError, rep.Tier)
			}
			red := outcome.Red(w.Base.Results, rep.Results)
			if c.loads && (c.red == "" && len(red) > 0 || c.red != "" && !slices.Contains(red, c.red) && !strings.HasPrefix(fmt.Sprint(red), "[test_rate.py")) {
				t.Errorf("%s, %s: red are %v", c.name, tier, red)
			}
		}
	}
}
