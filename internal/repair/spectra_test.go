package repair

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/arena"
	"breakfix/internal/lang/python"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

func TestOchiai(t *testing.T) {
	for _, c := range []struct {
		red, green, all int
		want            float64
	}{{0, 3, 2, 0}, {2, 0, 2, 1}, {1, 0, 4, 0.5}, {2, 6, 2, 0.5}, {1, 3, 1, 0.5}} {
		if got := Ochiai(c.red, c.green, c.all); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("Ochiai(%d, %d, %d) = %v, want %v", c.red, c.green, c.all, got, c.want)
		}
	}
}

const twoFunctions = `LIMIT = 3


def shared(x):
    return x


def one(x):
    y = shared(x)
    if y > 2:
        return 7
    return y


def two(x):
    return shared(x) + LIMIT


def hung():
    while True:
        pass
`

// spectraOf is of a suite: which tests run which lines of m.py.
func spectraOf(t *testing.T, tests []string, verdicts []outcome.Verdict, runs map[string][]int) *spectra {
	t.Helper()
	code, err := tree.FromFiles(map[string]*tree.File{"m.py": tree.Text(twoFunctions), "test_m.py": tree.Text("import m\n")})
	if err != nil {
		t.Fatal(err)
	}
	results := outcome.Results{}
	f := &testrun.FileCover{Imported: []int{1, 4, 8, 15, 19}}
	rows := map[int]byte{}
	for i, id := range tests {
		results[id] = verdicts[i]
		for _, l := range runs[id] {
			rows[l] |= 1 << i
		}
	}
	for l := 1; l < 40; l++ {
		if rows[l] != 0 {
			f.Lines, f.Bits = append(f.Lines, l), append(f.Bits, rows[l])
		}
	}
	s, err := newSpectra(code, &testrun.Baseline{Results: results, Order: tests, Cover: &testrun.Cover{Tests: tests, Files: map[string]*testrun.FileCover{"m.py": f}}}, python.Python.IsCode)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	tests    = []string{"test_m.py::a", "test_m.py::b", "test_m.py::c", "test_m.py::d", "test_m.py::e", "test_m.py::f", "test_m.py::g"}
	verdicts = []outcome.Verdict{outcome.Failed, outcome.Failed, outcome.Failed, outcome.Passed, outcome.TimedOut, outcome.Passed, outcome.Passed}
	runs     = map[string][]int{"test_m.py::a": {5, 9, 10, 11}, "test_m.py::b": {5, 9, 10, 11}, "test_m.py::c": {5, 16}, "test_m.py::d": {5, 9, 10, 12}, "test_m.py::f": {5}, "test_m.py::g": {5}}
)

func TestRedTestsThatRunDifferentSuspiciousFunctionsAreDifferentFailures(t *testing.T) {
	s := spectraOf(t, tests, verdicts, runs)
	red := []string{tests[0], tests[1], tests[2], tests[4]}
	want := [][]string{{tests[0], tests[1]}, {tests[2]}, {tests[4]}}
	if d := cmp.Diff(want, s.groups(red, nil)); d != "" {
		t.Error(d)
	}
	// One function that all of them run and no green test does explains all.
	all := map[string][]int{tests[0]: {5, 9}, tests[1]: {5, 9}, tests[2]: {5, 16}}
	s = spectraOf(t, tests, verdicts, all)
	if d := cmp.Diff([][]string{red[:3]}, s.groups(red[:3], nil)); d != "" {
		t.Error(d)
	}
}

func TestSuspectsAreTheLinesThatRedTestsRunAndGreenOnesDoNot(t *testing.T) {
	s := spectraOf(t, tests, verdicts, runs)
	places, lines := s.suspects(tests[:2], nil, nil)
	want := []arena.Context{
		{Path: "m.py", Function: "one", FirstLine: 8, LastLine: 12},
		{Path: "m.py", Function: "shared", FirstLine: 4, LastLine: 5},
		{Path: "m.py", FirstLine: 1, LastLine: 1},
	}
	if d := cmp.Diff(want, places); d != "" {
		t.Error(d)
	}
	if len(lines) == 0 || lines[0] != (arena.Suspect{Path: "m.py", Line: 11, Score: 1}) {
		t.Errorf("the first suspect is %+v, want line 11", lines)
	}
	for _, l := range lines {
		if l.Line == 12 || l.Line == 16 {
			t.Errorf("line %d is a suspect, and no test of this failure runs it", l.Line)
		}
	}
	// A traceback puts its function first.
	places, _ = s.suspects(tests[:2], []testrun.Frame{{Path: "test_m.py", Line: 1}, {Path: "m.py", Line: 5}}, nil)
	if places[0].Function != "shared" {
		t.Errorf("%s comes first, want the function that raised", places[0].Function)
	}
	// Of a test that hung no line is known: what it names comes first.
	places, _ = s.suspects(tests[4:5], nil, map[string]bool{"hung": true})
	if places[0].Function != "hung" {
		t.Errorf("%s comes first, want the function that the test names", places[0].Function)
	}
}

func TestPlacesMoveWithTheLinesAboveThem(t *testing.T) {
	from, err := tree.FromFiles(map[string]*tree.File{"m.py": tree.Text(twoFunctions)})
	if err != nil {
		t.Fatal(err)
	}
	to, err := from.With(map[string]*tree.File{"m.py": tree.Text("LIMIT = 3\nMORE = 4\nMOST = 5\n" + twoFunctions[len("LIMIT = 3\n"):])})
	if err != nil {
		t.Fatal(err)
	}
	at, err := shift(from, to)
	if err != nil {
		t.Fatal(err)
	}
	cs := []arena.Context{{Path: "m.py", Function: "two", FirstLine: 15, LastLine: 16}, {Path: "other.py", FirstLine: 15, LastLine: 16}}
	ss := []arena.Suspect{{Path: "m.py", Line: 16}}
	moved(cs, ss, at)
	if cs[0].FirstLine != 17 || cs[0].LastLine != 18 || cs[1].FirstLine != 15 || ss[0].Line != 18 {
		t.Errorf("they moved to %+v and %+v", cs, ss)
	}
}
