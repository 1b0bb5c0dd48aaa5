package repair_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/testrun"
)

// asked is an expression of a project with others in its place and what is to
// be told of them.
type asked struct {
	of        string
	truth     bool
	returned  bool
	otherwise []string
	want      []arena.Answer
}

// questionsOn asks about expressions of figures.py; want are the answers.
func questionsOn(src []byte, all []asked) (questions []arena.Question, want [][]arena.Answer) {
	for _, q := range all {
		at := strings.Index(string(src), q.of)
		questions = append(questions, arena.Question{Path: "figures.py", Start: at, End: at + len(q.of), Truth: q.truth, Returned: q.returned, Others: q.otherwise})
		want = append(want, q.want)
	}
	return questions, want
}

func TestValuesTellWhatOtherExpressionsWouldHaveBeenWhereTheTestFails(t *testing.T) {
	_, w := prepared(t, "values")
	for test, c := range map[string]struct {
		failure testrun.Failure
		wanted  []string
		asked   []asked
	}{
		"test_figures.py::test_weigh": {testrun.Failure{Kind: "AssertionError", Message: "assert 6 == 5", TestLine: 7}, []string{"6", "5"}, []asked{
			{"n > 1", true, false, []string{"n > 0", "n > 5", "n > 2", "xs > n", "n > none_such", "n == 2 or n"},
				[]arena.Answer{arena.Same, arena.Early, arena.Same, arena.Breaks, arena.Unknown, arena.Same}},
			{"sum(xs) + n", false, true, []string{"n + sum(xs)", "sum(xs) * n", "sum(xs) + 2", "sum(xs) - min(n, 2) + 4", "xs + n", "print(n)", "weigh(xs, 1)", "len(xs) + n", "sum(i for i in xs) + n"},
				[]arena.Answer{arena.Same, arena.Early, arena.Wanted, arena.Wanted, arena.Breaks, arena.Unknown, arena.Unknown, arena.Differs, arena.Same}},
			{"0", false, true, []string{"1"}, []arena.Answer{arena.Unrun}},
		}},
		"test_figures.py::test_first": {testrun.Failure{Kind: "KeyError", Message: "'b'", TestLine: 11}, nil, []asked{
			{"d[key].upper()", false, true, []string{"d['a'].upper()", "d['c'].upper()", "d[key].lower()"}, []arena.Answer{arena.Wanted, arena.Raises, arena.Same}},
		}},
	} {
		src, err := w.Snapshot.Tree.Read("figures.py")
		if err != nil {
			t.Fatal(err)
		}
		a, err := arena.NewRed(w, arena.Red{Tree: w.Snapshot.Tree, Tests: []string{test}, Failure: c.failure,
			Contexts: []arena.Context{{Path: "figures.py", Function: "weigh", FirstLine: 1, LastLine: 8}}}, arena.FixOptions{Steps: 4})
		if err != nil {
			t.Fatal(err)
		}
		questions, want := questionsOn(src, c.asked)
		got, err := a.Values(context.Background(), questions, c.wanted)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", test, diff)
		}
		if res, err := a.Result(); err != nil || len(res.Records) != 0 {
			t.Errorf("%s: looking took %d steps (%v)", test, len(res.Records), err)
		}
		c.failure.Message = "another"
		other, err := arena.NewRed(w, arena.Red{Tree: w.Snapshot.Tree, Tests: []string{test}, Failure: c.failure,
			Contexts: []arena.Context{{Path: "figures.py", FirstLine: 1, LastLine: 8}}}, arena.FixOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := other.Values(context.Background(), questions, c.wanted); err != nil || got != nil {
			t.Errorf("%s: told %v of a failure that is another than the known one (%v)", test, got, err)
		}
	}
}

// In play the red test is a file of its own that steps may call without pytest; it is looked
// at all the same.
func TestValuesAreSeenOfARedTestThatStepsCallDirectly(t *testing.T) {
	_, w := prepared(t, "values")
	src, err := w.Snapshot.Tree.Read("figures.py")
	if err != nil {
		t.Fatal(err)
	}
	const code = "from figures import weigh\n\n\ndef test_weigh():\n    assert weigh([1, 2], 3) == 5\n"
	b := &bug.Bug{RedTest: bug.RedTest{Path: "test_breakfix_1.py", Test: "test_breakfix_1.py::test_weigh", Code: code,
		Failure: testrun.Failure{Kind: "AssertionError", Message: "assert 6 == 5", TestLine: 5}}}
	at := strings.Index(string(src), "sum(xs) + n")
	questions := []arena.Question{{Path: "figures.py", Start: at, End: at + len("sum(xs) + n"), Returned: true, Others: []string{"n + sum(xs)", "sum(xs) + 2", "sum(xs) * n"}}}
	never := []arena.Question{{Path: "figures.py", Start: strings.Index(string(src), "return 0") + 7, End: strings.Index(string(src), "return 0") + 8, Returned: true, Others: []string{"1"}}}
	for _, direct := range []bool{false, true} {
		a, err := arena.NewFix(w, b, w.Snapshot.Tree, arena.FixOptions{Steps: 4, Direct: direct, Contexts: []arena.Context{{Path: "figures.py", FirstLine: 1, LastLine: 8}}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Values(context.Background(), questions, []string{"6", "5"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]arena.Answer{{arena.Same, arena.Wanted, arena.Differs}}, got); diff != "" {
			t.Errorf("direct %v: %s", direct, diff)
		}
		// Where nothing that is asked about ever ran, it is not known why.
		if got, err := a.Values(context.Background(), never, nil); err != nil || !cmp.Equal(got, [][]arena.Answer{{arena.Unknown}}) {
			t.Errorf("direct %v: %v, %v of what never ran alone", direct, got, err)
		}
	}
}

// TestAnExpressionIsWantedByAllAssertionsOfTheTest: past the one that fails, where the test is
// given nothing and comes to its end.
func TestAnExpressionIsWantedByAllAssertionsOfTheTest(t *testing.T) {
	_, w := prepared(t, "values")
	src, err := w.Snapshot.Tree.Read("figures.py")
	if err != nil {
		t.Fatal(err)
	}
	sum, n := "sum(range(n))", "return n\n"
	for test, c := range map[string]struct {
		of   string
		line int
		got  string // by the failing assertion, and wanted
		want []arena.Answer
	}{
		"test_later.py::test_asserts":            {sum, 7, "assert 0 == 1", []arena.Answer{arena.Wanted, arena.Partly, arena.Partly, arena.Differs, arena.Partly}},
		"test_later.py::test_helper":             {sum, 13, "assert 0 == 1", []arena.Answer{arena.Wanted, arena.Partly, arena.Partly, arena.Differs, arena.Differs}},
		"test_later.py::TestMethods::test_equal": {sum, 25, "1 != 0", []arena.Answer{arena.Wanted, arena.Partly, arena.Partly, arena.Differs, arena.Partly}},
		"test_later.py::test_given":              {sum, 36, "assert 0 == 1", []arena.Answer{arena.Wanted, arena.Wanted, arena.Wanted, arena.Differs, arena.Wanted}},
		"test_later.py::test_hangs":              {n, 30, "assert 1 == 2", []arena.Answer{arena.Wanted, arena.Wanted, arena.Wanted, arena.Differs, arena.Wanted}},
	} {
		others := []string{"sum(range(n + 1))", "len(range(n))", "n", "n + 7", "1"}
		if c.of == n {
			others = []string{"n * 2", "n + 1", "2", "n + 7", "3 - n"}
		}
		text := strings.TrimSuffix(strings.TrimPrefix(c.of, "return "), "\n")
		at := strings.Index(string(src), c.of) + strings.LastIndex(c.of, text)
		a, err := arena.NewRed(w, arena.Red{Tree: w.Snapshot.Tree, Tests: []string{test}, Failure: testrun.Failure{Kind: "AssertionError", Message: c.got, TestLine: c.line},
			Contexts: []arena.Context{{Path: "figures.py", Function: "total", FirstLine: 11, LastLine: 12}}}, arena.FixOptions{Steps: 4})
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Values(context.Background(), []arena.Question{{Path: "figures.py", Start: at, End: at + len(text), Returned: true, Others: others}}, []string{"1", "2"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]arena.Answer{c.want}, got); diff != "" {
			t.Errorf("%s: %s", test, diff)
		}
	}
}

// TestAnExpressionInsideFitsWhatAssertionsWant: an element where lists first differ, or what is
// missing in a sum.
func TestAnExpressionInsideFitsWhatAssertionsWant(t *testing.T) {
	_, w := prepared(t, "values")
	src, err := w.Snapshot.Tree.Read("figures.py")
	if err != nil {
		t.Fatal(err)
	}
	for test, c := range map[string]struct {
		of     string
		line   int
		got    string
		others []string
		want   []arena.Answer
	}{
		"test_inside.py::test_parts": {"i * 2", 6, "assert [0, 2, 4] == [0, 3, 6]", []string{"i * 3", "i * 2 + 2", "i + i", "-i"}, []arena.Answer{arena.Fits, arena.Differs, arena.Same, arena.Differs}},
		"test_inside.py::test_torn":  {"i * 2", 11, "assert [0, 2] == [0, 3]", []string{"i * 3", "i + 3", "i * 2 + i // i"}, []arena.Answer{arena.Hints, arena.Hints, arena.Raises}},
		"test_inside.py::test_adds":  {"len(row)", 16, "assert 3 == 5", []string{"len(row) + 1", "len(row) * 2", "2"}, []arena.Answer{arena.Fits, arena.Differs, arena.Differs}},
		"test_inside.py::test_holds": {"len(row)", 23, "assert 3 == 5", []string{"len(row) + 1", "len(row) * 2"}, []arena.Answer{arena.Hints, arena.Differs}},
	} {
		at := strings.Index(string(src), c.of)
		a, err := arena.NewRed(w, arena.Red{Tree: w.Snapshot.Tree, Tests: []string{test}, Failure: testrun.Failure{Kind: "AssertionError", Message: c.got, TestLine: c.line},
			Contexts: []arena.Context{{Path: "figures.py", Function: "ladder", FirstLine: 20, LastLine: 32}}}, arena.FixOptions{Steps: 4})
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Values(context.Background(), []arena.Question{{Path: "figures.py", Start: at, End: at + len(c.of), Others: c.others}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]arena.Answer{c.want}, got); diff != "" {
			t.Errorf("%s: %s", test, diff)
		}
	}
}

// TestACallOfTheCodesOwnFunctionRunsOnWithTheOtherExpression: in calls of itself the other one
// stands there as well. Where they do not end it is told like an exception; of a loop that does not
// end nothing is told, and of what stands beside it all the same.
func TestACallOfTheCodesOwnFunctionRunsOnWithTheOtherExpression(t *testing.T) {
	_, w := prepared(t, "values")
	src, err := w.Snapshot.Tree.Read("figures.py")
	if err != nil {
		t.Fatal(err)
	}
	for test, c := range map[string]struct {
		failure testrun.Failure
		asked   []asked // the first one has such calls
	}{
		"test_calls.py::test_power": {testrun.Failure{Kind: "AssertionError", Message: "assert 7 == 8", TestLine: 11}, []asked{
			{"base + power(base, n - 1)", false, true, []string{"base * power(base, n - 1)", "power(base, n - 1) + base", "power(base, n - 1)", "base + power(base, n)", "2 * 4", "base + weigh([], n)", "base + spins(n + 9)", "base + spins(n)"},
				[]arena.Answer{arena.Wanted, arena.Same, arena.Differs, arena.Raises, arena.Partly, arena.Unknown, arena.Unknown, arena.Differs}},
			{"n - 1", false, false, []string{"n - 2", "n + -1", "power(n, 0)"}, []arena.Answer{arena.Differs, arena.Same, arena.Unknown}},
		}},
		// The text of a RecursionError says where it came to its end.
		"test_calls.py::test_divisor": {testrun.Failure{Kind: "RecursionError", Message: "maximum recursion depth exceeded in another place", TestLine: 6}, []asked{
			{"divisor(a % b, b)", false, true, []string{"divisor(b, a % b)", "divisor(a % b, 0)", "divisor(b, b)", "7"}, []arena.Answer{arena.Wanted, arena.Mends, arena.Same, arena.Wanted}},
		}},
	} {
		a, err := arena.NewRed(w, arena.Red{Tree: w.Snapshot.Tree, Tests: []string{test}, Failure: c.failure,
			Contexts: []arena.Context{{Path: "figures.py", Function: "divisor", FirstLine: 35, LastLine: 44}}}, arena.FixOptions{Steps: 4})
		if err != nil {
			t.Fatal(err)
		}
		questions, want := questionsOn(src, c.asked)
		questions[0].Own = []string{"divisor", "power", "spins"}
		got, err := a.Values(context.Background(), questions, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", test, diff)
		}
	}
}
