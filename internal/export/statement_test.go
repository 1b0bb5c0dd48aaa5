package export

import (
	"errors"
	"strings"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

const correct = `def total(prices, rate):
    net = sum(price for price in prices)
    gross = net * (1 + rate)
    return gross
`

// told writes the statement of a bug that took the line that makes gross, with
// the given red test and failure.
func told(t *testing.T, code string, f testrun.Failure) (string, error) {
	t.Helper()
	base, err := tree.FromFiles(map[string]*tree.File{"shop.py": tree.Text(correct)})
	if err != nil {
		t.Fatal(err)
	}
	broken, err := base.With(map[string]*tree.File{"shop.py": tree.Text(strings.Replace(correct, "gross = net * (1 + rate)", "gross = net", 1))})
	if err != nil {
		t.Fatal(err)
	}
	inject, err := tree.Diff(base, broken)
	if err != nil {
		t.Fatal(err)
	}
	b := &bug.Bug{ID: "0123456789ab", Inject: inject, Operators: []string{"arithmetic_drop"}, Hidden: []string{"tests/test_shop.py::test_rate"},
		RedTest: bug.RedTest{Path: "test_breakfix_1.py", Code: code, Failure: f}}
	b.Source.Name, b.Source.Version = "shop", "1.0"
	return statement(&item{bug: b, base: base, broken: broken})
}

const innocent = "from shop import total\n\n\ndef test_total():\n    assert total([1], 1) == 2\n"

func TestAStatementShowsTheTestAndItsFailure(t *testing.T) {
	text, err := told(t, innocent, testrun.Failure{Kind: "AssertionError", Message: "assert 1 == 2", Text: "> assert total([1], 1) == 2\nE assert 1 == 2\n\ntest_breakfix_1.py:5: AssertionError"})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"shop 1.0", "def test_total():", "E assert 1 == 2", "test_reproduce.py:5"} {
		if !strings.Contains(text, part) {
			t.Errorf("the statement does not say %q:\n%s", part, text)
		}
	}
}

func TestAStatementNeverShowsWhatWasRemovedOrHowOrWhatIsHeldBack(t *testing.T) {
	removed := "gross = net * (1 + rate)"
	for name, one := range map[string]struct {
		code string
		f    testrun.Failure
	}{
		"removed line in the report":   {innocent, testrun.Failure{Kind: "E", Message: "no", Text: ">       " + removed + "\nE       no"}},
		"removed line in a message":    {innocent, testrun.Failure{Kind: "E", Message: "expected " + removed, Text: "E  expected " + removed}},
		"removed line in the test":     {innocent + "\n\ndef helper(net, rate):\n    " + removed + "\n    return gross\n", testrun.Failure{Kind: "E", Message: "no", Text: "E no"}},
		"operator in a message":        {innocent, testrun.Failure{Kind: "E", Message: "arithmetic_drop", Text: "E arithmetic_drop"}},
		"hidden test in the report":    {innocent, testrun.Failure{Kind: "E", Message: "no", Text: "tests/test_shop.py::test_rate is red too\nE no"}},
		"hidden test in the test":      {innocent + "\nSEE = 'tests/test_shop.py::test_rate'\n", testrun.Failure{Kind: "E", Message: "no", Text: "E no"}},
		"a fence in the test's string": {innocent + "\nTEXT = '''\n```\n" + removed + "\n```\n'''\n", testrun.Failure{Kind: "E", Message: "no", Text: "E no"}},
	} {
		text, err := told(t, one.code, one.f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, never := range []string{removed, "arithmetic_drop", "tests/test_shop.py::test_rate", "test_breakfix_1.py"} {
			if strings.Contains(text, never) {
				t.Errorf("%s: the statement holds %q:\n%s", name, never, text)
			}
		}
		if !strings.Contains(text, "shop 1.0: a test that should pass fails with") {
			t.Errorf("%s: the statement says nothing:\n%s", name, text)
		}
	}
}

func TestABugWhoseFailureIsTheRepairIsNotTold(t *testing.T) {
	text, err := told(t, innocent, testrun.Failure{Kind: "arithmetic_drop"})
	var no *cannotError
	if !errors.As(err, &no) {
		t.Errorf("%v, want that none can be written; it is\n%s", err, text)
	}
}
