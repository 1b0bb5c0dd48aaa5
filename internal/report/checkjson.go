package report

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"breakfix/internal/check"
	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// A check in the report schema of mutation-testing-elements, version 2: what its
// HTML component and the dashboards of other mutation testers read.

type schemaMutant struct {
	ID             string         `json:"id"`
	MutatorName    string         `json:"mutatorName"`
	Description    string         `json:"description"`
	Replacement    string         `json:"replacement"`
	Location       schemaLocation `json:"location"`
	Status         string         `json:"status"`
	StatusReason   string         `json:"statusReason,omitempty"`
	CoveredBy      []string       `json:"coveredBy,omitempty"`
	KilledBy       []string       `json:"killedBy,omitempty"`
	TestsCompleted *int           `json:"testsCompleted,omitempty"`
	Duration       *float64       `json:"duration,omitempty"`
}

type schemaLocation struct {
	Start schemaPosition `json:"start"`
	End   schemaPosition `json:"end"`
}

// schemaPosition counts from 1, columns in UTF-16 units, as JavaScript does.
type schemaPosition struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

type schemaFile struct {
	Language string         `json:"language"`
	Source   string         `json:"source"`
	Mutants  []schemaMutant `json:"mutants"`
}

type schemaTestFile struct {
	Source string       `json:"source,omitempty"`
	Tests  []schemaTest `json:"tests"`
}

type schemaTest struct {
	ID       string           `json:"id"`
	Name     string           `json:"name"`
	Location *schemaTestPlace `json:"location,omitempty"`
}

type schemaTestPlace struct {
	Start schemaPosition `json:"start"`
}

// schemaStatus is what the schema calls an outcome: docs/cli.md, "One outcome, three audiences".
var schemaStatus = map[string]string{
	"caught": "Killed", "missed": "Survived", "timed_out": "Timeout", "not_covered": "NoCoverage", "does_not_load": "CompileError", "set_aside": "Ignored",
}

// CheckJSON writes a check as a report of the mutation-testing-elements
// schema. Tests have their number as id and their own id as name. In a file
// the missed mutations come first, what matters most before all others. One
// file at a time is held in memory.
func CheckJSON(w io.Writer, r *check.Record, version string) error {
	out := bufio.NewWriterSize(w, 1<<16)
	s, err := r.Summary()
	if err != nil {
		return err
	}
	fmt.Fprint(out, "{")
	head := []struct {
		key   string
		value any
	}{
		{"schemaVersion", "2"},
		{"thresholds", map[string]int{"high": 80, "low": 60}},
		{"framework", map[string]any{"name": "breakfix", "version": version, "dependencies": map[string]string{"mutation-testing-elements": ElementsVersion}}},
		{"config", schemaConfig(s, r.Plan)},
		{"performance", map[string]float64{
			"setup": 1000 * (r.Plan.Seconds["prepare"] - r.Plan.Seconds["baseline"]), "initialRun": 1000 * r.Plan.Seconds["baseline"], "mutation": 1000 * r.Seconds["check"],
		}},
		{"system", map[string]bool{"ci": os.Getenv("CI") != ""}},
	}
	for _, h := range head {
		if err := member(out, h.key, h.value); err != nil {
			return err
		}
		fmt.Fprint(out, ",\n")
	}
	fmt.Fprint(out, `"files":{`)
	byFile, numbers := byPath(r), map[string]int{}
	for n, t := range r.Plan.Tests {
		numbers[t.ID] = n
	}
	for i, p := range keys(r.Plan.Files) {
		if i > 0 {
			fmt.Fprint(out, ",\n")
		}
		f, err := schemaFileOf(r.Plan, p, byFile[p], numbers)
		if err != nil {
			return err
		}
		if err := member(out, p, f); err != nil {
			return err
		}
	}
	fmt.Fprint(out, "},\n")
	if err := member(out, "testFiles", schemaTests(r.Plan)); err != nil {
		return err
	}
	fmt.Fprint(out, "}\n")
	return out.Flush()
}

// member writes a key and its value; <, > and & are escaped, so that it can
// stand in a script element.
func member(w io.Writer, key string, value any) error {
	k, err := json.Marshal(key)
	if err != nil {
		return err
	}
	v, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s:%s", k, v)
	return err
}

// schemaConfig is what the schema has no other place for: the choice, and the
// numbers with what they were divided by.
func schemaConfig(s check.Summary, p check.Plan) map[string]any {
	return map[string]any{
		"source": s.Source, "snapshot": s.Snapshot, "environment": s.Environment, "seed": strconv.FormatUint(s.Seed, 10), "choice": p.Choice,
		"ended": s.Ended, "mutations": s.Mutations, "chosen": s.Chosen, "judged": s.Judged, "counts": s.Counts, "ignored": s.Ignored,
		"score":     map[string]any{"noticed": s.Caught + s.TimedOut, "of": s.Caught + s.TimedOut + s.Missed, "score": s.Score},
		"operators": s.Operators,
	}
}

// byPath sorts the results, and what is accepted, by file.
func byPath(r *check.Record) map[string][]check.Result {
	by := map[string][]check.Result{}
	for _, one := range r.Results {
		if one.Err == nil {
			by[one.Mutation.Path] = append(by[one.Mutation.Path], one)
		}
	}
	return by
}

func schemaFileOf(p check.Plan, path string, results []check.Result, numbers map[string]int) (schemaFile, error) {
	f := schemaFile{Language: "python", Source: p.Files[path], Mutants: []schemaMutant{}}
	lines := newPlaces(f.Source)
	var missed, others []check.Result
	for _, r := range results {
		if check.Word(r.Outcome) == "missed" {
			missed = append(missed, r)
		} else {
			others = append(others, r)
		}
	}
	p.ByImportance(missed)
	slices.SortStableFunc(others, func(a, b check.Result) int {
		return cmp.Or(a.Mutation.Edits[0].Start-b.Mutation.Edits[0].Start, check.Place(a.Mutation, b.Mutation)) // whoever was judged first
	})
	for _, r := range append(missed, others...) {
		m, err := lines.mutant(f.Source, r.Mutation)
		if err != nil {
			return f, err
		}
		m.Status, m.StatusReason = schemaStatus[check.Word(r.Outcome)], reasonOf(r)
		for _, n := range r.Covering {
			m.CoveredBy = append(m.CoveredBy, strconv.Itoa(int(n)))
		}
		if n, ok := numbers[r.Test]; ok {
			m.KilledBy = []string{strconv.Itoa(n)}
		}
		ms := float64(r.Took.Microseconds()) / 1000
		m.TestsCompleted, m.Duration = &r.Completed, &ms
		f.Mutants = append(f.Mutants, m)
	}
	for _, i := range p.Ignored {
		if i.Mutation.Path != path {
			continue
		}
		m, err := lines.mutant(f.Source, i.Mutation)
		if err != nil {
			return f, err
		}
		m.Status, m.StatusReason = "Ignored", "accepted: "+Visible(i.Reason)
		f.Mutants = append(f.Mutants, m)
	}
	return f, nil
}

// reasonOf is why a mutation has its status.
func reasonOf(r check.Result) string {
	switch word := check.Word(r.Outcome); {
	case word == "set_aside":
		return "set aside: " + Visible(r.Reason)
	case r.Reason != "":
		return Visible(r.Reason)
	case r.Failure != "":
		return Visible(r.Failure)
	}
	return ""
}

func schemaTests(p check.Plan) map[string]schemaTestFile {
	files := map[string]schemaTestFile{}
	for n, t := range p.Tests {
		name := t.Path
		if name == "" {
			name = "other tests"
		}
		f, ok := files[name]
		if !ok {
			f = schemaTestFile{Source: p.Suite[t.Path], Tests: []schemaTest{}}
		}
		one := schemaTest{ID: strconv.Itoa(n), Name: t.ID}
		if t.Line > 0 && f.Source != "" {
			one.Location = &schemaTestPlace{schemaPosition{t.Line, 1}}
		}
		f.Tests = append(f.Tests, one)
		files[name] = f
	}
	return files
}

// places finds lines and columns in a text. A line ends where JavaScript ends
// it, which is also after a lone \r and after U+2028 and U+2029.
type places struct{ starts []int }

func newPlaces(text string) places {
	p := places{[]int{0}}
	for i, r := range text {
		switch {
		case r == '\n', r == '\r' && !strings.HasPrefix(text[i+1:], "\n"), r == '\u2028', r == '\u2029':
			p.starts = append(p.starts, i+utf8.RuneLen(r))
		}
	}
	return p
}

func (p places) at(text string, offset int) schemaPosition {
	line, found := slices.BinarySearch(p.starts, offset)
	if !found {
		line--
	}
	column := 1
	for _, r := range text[p.starts[line]:offset] {
		column += utf16.RuneLen(r)
	}
	return schemaPosition{line + 1, column}
}

// mutant is a mutation as one replacement, from its first edit to its last.
func (p places) mutant(text string, m mutate.Mutation) (schemaMutant, error) {
	if len(m.Edits) == 0 {
		return schemaMutant{}, fmt.Errorf("mutation %s has no edit", m.ID)
	}
	start, end := m.Edits[0].Start, m.Edits[len(m.Edits)-1].End
	edits := make([]tree.Edit, len(m.Edits))
	for i, e := range m.Edits {
		edits[i] = tree.Edit{Start: e.Start - start, End: e.End - start, New: e.New}
	}
	now, err := tree.ApplyEdits([]byte(text[start:end]), edits)
	if err != nil {
		return schemaMutant{}, fmt.Errorf("mutation %s: %w", m.ID, err)
	}
	what := m.Variant
	if m.Function != "" {
		what += " in " + m.Function
	}
	return schemaMutant{
		ID: m.ID, MutatorName: m.Operator, Description: Visible(what), Replacement: strings.ToValidUTF8(string(now), "\ufffd"),
		Location: schemaLocation{p.at(text, start), p.at(text, end)},
	}, nil
}
