package testrun

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestOptionsThatWouldSpoilARunAreDroppedAndTheRestIsKept(t *testing.T) {
	tr := treeOf(t, map[string]string{"tests/test_a.py": "", "src/pkg/__init__.py": ""})
	for in, want := range map[string]options{
		"-x -ra":                    {keep: []string{"-ra"}},
		"-xvs":                      {keep: []string{"-vs"}},
		"-n 2 -n4 -nauto --dist=no": {},
		"--cov --cov-report=xml --cov=pkg --cov-branch --strict-markers":     {keep: []string{"--strict-markers"}},
		"--cov pkg --cov-report term-missing --cov-fail-under 90 tests":      {paths: []string{"tests"}},
		"-p no:warnings -W error --import-mode=importlib --doctest-modules":  {keep: []string{"-p", "no:warnings", "-W", "error", "--import-mode=importlib"}},
		"-k tests -m slow --deselect=tests/test_a.py::test_x tests/":         {selecting: []string{"-k", "tests", "-m", "slow", "--deselect=tests/test_a.py::test_x"}, paths: []string{"tests/"}},
		"--maxfail=1 --exitfirst --lf --junitxml out.xml --html=r.html src":  {paths: []string{"src"}},
		"--mypy --ruff --flake8 --black --reruns 3 --timeout=5 -c other.ini": {},
		"tests/test_a.py::test_one":                                          {paths: []string{"tests/test_a.py::test_one"}},
		"--ignore tests --asyncio-mode auto":                                 {keep: []string{"--ignore", "tests", "--asyncio-mode", "auto"}},
	} {
		got := sortOptions(tr, strings.Fields(in))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

func TestTheReaderTakesEachProvenLineOnceHoweverItIsCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const nonce = "abc"
		var text strings.Builder
		var want []string
		bad := 0
		for i := range rapid.IntRange(0, 20).Draw(t, "lines") {
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				fmt.Fprintf(&text, "{\"n\":\"abc\",\"k\":\"start\",\"id\":\"%d\"}\n", i)
				want = append(want, fmt.Sprint(i))
			case 1:
				fmt.Fprintf(&text, "{\"n\":\"abd\",\"k\":\"start\",\"id\":\"%d\"}\n", i)
				bad++
			case 2:
				text.WriteString("garbage {\n")
				bad++
			case 3:
				text.WriteString("\n")
			}
		}
		var got []string
		r := &reader{nonce: nonce, handle: func(m message) error { got = append(got, m.ID); return nil }}
		rest := []byte(text.String())
		for len(rest) > 0 {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			if k, err := r.Write(rest[:n]); k != n || err != nil {
				t.Fatal(k, err)
			}
			rest = rest[n:]
		}
		if diff := cmp.Diff(want, got); diff != "" || r.suspicious != bad {
			t.Fatalf("%s, %d suspicious lines for %d", diff, r.suspicious, bad)
		}
	})
}

func TestALineThatIsTooLongIsSkippedAndTheNextIsRead(t *testing.T) {
	var got []string
	r := &reader{nonce: "abc", handle: func(m message) error { got = append(got, m.ID); return nil }}
	piece := []byte(strings.Repeat("x", 1<<20))
	for range 6 {
		if _, err := r.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Write([]byte("\n{\"n\":\"abc\",\"k\":\"start\",\"id\":\"a\"}\n")); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || r.suspicious != 1 || len(r.rest) > 0 {
		t.Errorf("%v, %d suspicious", got, r.suspicious)
	}
}

func TestAFloodOfForgedLinesEndsTheRun(t *testing.T) {
	r := &reader{nonce: "abc", handle: func(message) error { return nil }}
	if _, err := r.Write([]byte(strings.Repeat("x\n", maxSuspicious+1))); err == nil {
		t.Error("the flood went on")
	}
}

func TestFindingsAreComparedAsAMultiset(t *testing.T) {
	a, b := Finding{File: "a.py", Rule: "r"}, Finding{File: "b.py", Rule: "r"}
	if diff := cmp.Diff([]Finding{a, b}, NewFindings(Findings{a: 1}, Findings{a: 2, b: 1})); diff != "" {
		t.Error(diff)
	}
	if got := NewFindings(Findings{a: 2}, Findings{a: 1}); got != nil {
		t.Error(got)
	}
	text, err := Findings{b: 2, a: 1}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var back Findings
	if err := back.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Findings{b: 2, a: 1}, back); diff != "" {
		t.Error(diff)
	}
}
