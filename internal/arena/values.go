package arena

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Question asks what other expressions would have been in the place of one,
// while the red test runs.
type Question struct {
	Path       string
	Start, End int      // of the expression in a file of the broken tree
	Truth      bool     // it is a condition: only whether it is true counts
	Returned   bool     // it is what a function returns
	Others     []string // expressions
	Own        []string // functions of the code that change nothing outside, as far as their form tells, where it calls one of them
}

// Answer says what an expression would have been in the place of another.
type Answer byte

// The answers: what was seen where the test fails.
const (
	Unknown Answer = iota // it may have effects, or cannot be told
	Unrun                 // the red test never comes there
	Same                  // each time the very same value: in its place nothing changes
	Alike                 // each time an equal list or the like, maybe another one
	Differs
	Raises // an exception where there was none
	Mends  // a value where there was an exception
	Wanted // what is returned last is what the red test wants, in each of its assertions that could be told; Differs where some want what is there now
	Early  // it differs where the test fails, and on lines of it that passed
	Breaks // an exception on a line that passed
	Partly // it is wanted where the test fails, and elsewhere as wrong as what it stands for
	Fits   // it is inside: the part that an assertion wants where what stands there is the part that differs, or it adds up to what is wanted
	Hints  // it fits in some assertions and not in others
)

// Functions and methods that change nothing, by name. A method of that name
// that does is the risk of being told nothing: see Values.
var (
	harmlessFunctions = strings.Fields("abs all any bin bool bytes chr complex dict divmod enumerate float frozenset hash hex int isinstance issubclass len list " +
		"map max min oct ord pow range repr reversed round set slice sorted str sum tuple type zip")
	harmlessMethods = strings.Fields("bit_length capitalize casefold center ceil copy count decode difference encode endswith expandtabs fabs find floor format fsum gcd get index " +
		"intersection isalnum isalpha isdecimal isdigit isdisjoint isidentifier islower isnumeric isspace issubset issuperset istitle isupper items join keys ljust log log10 log2 lower lstrip partition prod " +
		"removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines sqrt startswith strip swapcase symmetric_difference title translate union upper values zfill")
)

// Harmless reports whether calling a built-in function, or a method, of that
// name is taken to have no effect.
func Harmless(name string, method bool) bool {
	if method {
		return slices.Contains(harmlessMethods, name)
	}
	return slices.Contains(harmlessFunctions, name)
}

//go:embed inside/breakfix_values.py
var valuesCode string

const (
	valuesPart = 900 // answers in the message of one test of ours
	mostValues = 4 * valuesPart
	// A red test takes longer where it is watched.
	valuesDeadline = 5 * time.Second
)

// Values answers questions about the broken tree: the red test runs once more,
// and where an expression is evaluated so are the others, each alone and without
// an effect on what goes on. It makes no step, as finding the suspicious lines
// makes none: nothing was edited. nil when nothing can be told, since looking
// changed how the red test fails. Of expressions asked about one may be within another that stands
// before it; of more than 3,600 others the last are Unknown. A call of the code's own functions
// runs on with the other expression in its place, as it would after the edit.
func (a *FixArena) Values(ctx context.Context, questions []Question, wanted []string) ([][]Answer, error) {
	if was := a.task.Failure.Kind; was == "" || was == testrun.KindTimedOut { // it may go on for ever
		return nil, nil
	}
	asked, n := make([]valuesSite, len(questions)), 0
	own := []string{}
	edits := map[string][]tree.Edit{}
	for k, q := range questions {
		if !isCode(q.Path) {
			return nil, fmt.Errorf("%s is not code", q.Path)
		}
		others := q.Others[:min(len(q.Others), mostValues-n)]
		n += len(others)
		asked[k] = valuesSite{append([]string{}, others...), len(q.Own) > 0, q.Truth, q.Returned}
		own = append(own, q.Own...)
		edits[q.Path] = append(edits[q.Path], tree.Edit{Start: q.Start, End: q.Start, New: "__breakfix_value__(" + strconv.Itoa(k) + ", lambda: ("},
			tree.Edit{Start: q.End, End: q.End, New: "))"})
	}
	if n == 0 {
		return nil, nil
	}
	t, err := a.watched(edits)
	if err != nil {
		return nil, err
	}
	alone, _ := a.looking("")
	red := alone.Tests[0]
	data, err := json.Marshal(map[string]any{"sites": asked, "wanted": append([]string{}, wanted...), "file": "/" + a.task.RedPath, "line": a.task.Failure.TestLine,
		"source": a.task.RedTest, "test": namesOf(red), "functions": harmlessFunctions, "methods": harmlessMethods, "own": own})
	if err != nil {
		return nil, err
	}
	code := valuesCode + "\n_breakfix_values = _BreakfixValues(" + pythonString(string(data)) + ")\n"
	parts := (n + valuesPart - 1) / valuesPart
	for i := range parts {
		code += fmt.Sprintf("\n\ndef test_breakfix_values_%d():\n    _breakfix_tell(%d, %d)\n", i, i*valuesPart, (i+1)*valuesPart)
	}
	req, file := a.looking(code)
	req.Deadline = func(string) time.Duration { return valuesDeadline }
	req.Tree, req.Fresh, req.Unaudited, req.Tests = t, true, true, []string{red}
	for i := range parts {
		req.Tests = append(req.Tests, fmt.Sprintf("%s::test_breakfix_values_%d", file, i))
	}
	report, err := a.runner.Run(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("look at values: %w", err)
	}
	if !report.Results.Get(red).Red() || !failsAlike(a.task.Failure, report.Failures[red]) {
		return nil, nil
	}
	var told strings.Builder
	for _, id := range req.Tests[1:] {
		told.WriteString(strings.TrimSuffix(strings.TrimPrefix(report.Failures[id].Message, "values:"), ":"))
	}
	return answersOf(questions, told.String(), n)
}

// failsAlike reports whether a failure is what it was. Where calls of itself end, and with what
// text, is told by how deep the frames of whoever looks are.
func failsAlike(was, is testrun.Failure) bool {
	is = cloneFailure(is)
	return was.Kind == is.Kind && was.TestLine == is.TestLine && (was.Kind == "RecursionError" || oneLine(was.Message) == oneLine(is.Message))
}

type valuesSite struct {
	Others   []string `json:"others"`
	Calls    bool     `json:"calls"`
	Truth    bool     `json:"truth"`
	Returned bool     `json:"returned"`
}

// answersOf reads one letter an expression.
func answersOf(questions []Question, told string, n int) ([][]Answer, error) {
	if len(told) != n {
		return nil, nil // the code under test had a hand in it
	}
	out := make([][]Answer, len(questions))
	for k, q := range questions {
		out[k] = make([]Answer, len(q.Others))
		for i := range min(len(q.Others), len(told)) {
			if c := told[0] - 'a'; c <= byte(Hints) {
				out[k][i] = Answer(c)
			}
			told = told[1:]
		}
	}
	return out, nil
}

// watched is the broken tree with expressions that are looked at.
func (a *FixArena) watched(edits map[string][]tree.Edit) (*tree.Tree, error) {
	files := map[string]*tree.File{}
	for p, es := range edits {
		src, err := a.trees[0].Read(p)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(es, func(x, y tree.Edit) int { return x.Start - y.Start })
		out, err := tree.ApplyEdits(src, es)
		if err != nil {
			return nil, fmt.Errorf("look at values in %s: %w", p, err)
		}
		files[p] = &tree.File{Kind: a.trees[0].Kind(p), Data: out}
	}
	return a.trees[0].With(files)
}

// namesOf are the names that lead to a test in its file; none for one of several that a
// function stands for.
func namesOf(test string) []string {
	names := strings.Split(test, "::")[1:]
	if strings.Contains(test, "[") {
		return []string{}
	}
	return names
}

// beside names a test file of ours in the folder of a test of the suite.
func beside(test string) string {
	file, _, _ := strings.Cut(test, "::")
	return path.Join(path.Dir(file), "test_breakfix_values.py")
}

// pythonString writes s as a literal of Python: what JSON escapes, Python does
// alike.
func pythonString(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// lookingInFile asks with code of ours at the end of the red test's own file.
func lookingInFile(req testrun.Request, path, code string) func(string) (testrun.Request, string) {
	return func(ours string) (testrun.Request, string) {
		r := req
		r.Direct = false // there each test has the file anew, and what one saw another does not know
		r.Files = map[string]string{path: code + "\n" + ours}
		return r, path
	}
}
