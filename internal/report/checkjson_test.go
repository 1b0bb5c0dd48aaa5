package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"breakfix/internal/check"
	"breakfix/internal/lang"
	_ "breakfix/internal/lang/python" // registers the language
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
)

const wideSource = "def f(a, b):\r\n    s = '𝒳é\u2028</script><!--'; return (a + b) * 2 < 3\r\n\r\n\r\ndef g(xs):\n    if xs is not None and xs:\n        return xs[0] - 1\n    return None\n"

// recordOf has every outcome, on real mutations of a file with wide characters.
func recordOf(t *testing.T) *check.Record {
	t.Helper()
	l, err := lang.Get("python")
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.Parse([]byte(wideSource))
	if err != nil || f.HasError {
		t.Fatal(err, f.HasError)
	}
	ms := mutate.Enumerate(l, "pkg/m.py", f, mutate.Operators())
	if len(ms) < 20 {
		t.Fatalf("%d mutations", len(ms))
	}
	r := &check.Record{Ended: check.Done, Seconds: map[string]float64{"check": 2, "total": 3}, Plan: check.Plan{
		Source: "/code/<b>", Snapshot: "s", Environment: "e", Seed: 1<<64 - 1, Mutations: len(ms), Chosen: len(ms) - 1,
		Files: map[string]string{"pkg/m.py": wideSource}, Suite: map[string]string{"test_m.py": "def test_a():\n    pass\n"},
		Tests: []check.Test{{ID: "test_m.py::test_a", Path: "test_m.py", Line: 1}, {ID: "doc::x"}}, Reach: map[string]int{"pkg/m.py::f": 2, "pkg/m.py::g": 7},
		Seconds: map[string]float64{"prepare": 1, "baseline": 0.5}, Ignored: []check.Ignored{{Mutation: ms[0], Reason: "fine \x1b[2J"}},
	}}
	outcomes := []outcome.Break{outcome.Valid, outcome.Unnoticed, outcome.TimedOutBreak, outcome.Uncovered, outcome.Broken, outcome.FlakyBreak, outcome.Rejected}
	for i, m := range ms[1:] {
		one := check.Result{Mutation: m, Outcome: outcomes[i%len(outcomes)], Tests: 2, Covering: check.NewTestSet(0, 1), Completed: 1, Took: 1500 * time.Microsecond}
		switch one.Outcome {
		case outcome.Valid:
			one.Test, one.Failure = "test_m.py::test_a", "AssertionError: </script>"
		case outcome.Uncovered:
			one.Covering, one.Tests = nil, 0
		case outcome.FlakyBreak:
			one.Reason = "two runs disagree"
		}
		r.Results = append(r.Results, one)
	}
	return r
}

type readMutant struct {
	ID, Status, StatusReason, MutatorName, Replacement string
	CoveredBy, KilledBy                                []string
	Location                                           struct{ Start, End struct{ Line, Column int } }
}

type readReport struct {
	Files map[string]struct {
		Source  string
		Mutants []readMutant
	}
	TestFiles map[string]struct{ Tests []struct{ ID, Name string } }
	Config    struct {
		Seed   string
		Counts check.Counts
		Score  struct{ Noticed, Of int }
	}
}

func TestTheReportOfACheckIsOneOfThePublishedSchema(t *testing.T) {
	text, err := os.ReadFile("testdata/mutation-testing-report-schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != "404575e9264686dbf85c399f6531fdb489bebc3146e7e1d793b8083bc6a041ae" {
		t.Error("the schema is not the published one: elements/README.md")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	record := recordOf(t)
	var b bytes.Buffer
	if err := CheckJSON(&b, record, "9.9"); err != nil {
		t.Fatal(err)
	}
	valid := func(b []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	if err := valid(b.Bytes()); err != nil {
		t.Error(err)
	}
	if valid(bytes.Replace(b.Bytes(), []byte(`"Survived"`), []byte(`"missed"`), 1)) == nil || valid([]byte(`{"schemaVersion":"2","files":{}}`)) == nil {
		t.Error("the schema lets everything through")
	}
	empty := &check.Record{Plan: check.Plan{Source: "x"}}
	b.Reset()
	if err := CheckJSON(&b, empty, ""); err != nil || valid(b.Bytes()) != nil {
		t.Errorf("of nothing: %v, %v", err, valid(b.Bytes()))
	}
}

func TestTheReportSaysOfEachMutationWhatTheRecordSays(t *testing.T) {
	record := recordOf(t)
	var b bytes.Buffer
	if err := CheckJSON(&b, record, "9.9"); err != nil {
		t.Fatal(err)
	}
	var got readReport
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	file := got.Files["pkg/m.py"]
	if file.Source != wideSource || len(file.Mutants) != len(record.Results)+1 {
		t.Fatalf("%d mutants of %q", len(file.Mutants), file.Source)
	}
	byID := map[string]readMutant{}
	for _, m := range file.Mutants {
		byID[m.ID] = m
	}
	status := map[outcome.Break]string{outcome.Valid: "Killed", outcome.Unnoticed: "Survived", outcome.TimedOutBreak: "Timeout", outcome.Uncovered: "NoCoverage",
		outcome.Broken: "CompileError", outcome.FlakyBreak: "Ignored", outcome.Rejected: "Ignored"}
	for _, r := range record.Results {
		m := byID[r.Mutation.ID]
		if m.Status != status[r.Outcome] || m.MutatorName != r.Mutation.Operator {
			t.Errorf("%s: %+v", r.Outcome, m)
		}
		if want := map[bool][]string{true: {"0"}}[r.Outcome == outcome.Valid]; !slices.Equal(m.KilledBy, want) || len(m.CoveredBy) != r.Tests {
			t.Errorf("%s: killed by %v, covered by %v", r.Outcome, m.KilledBy, m.CoveredBy)
		}
		want, err := mutate.ApplyTo([]byte(wideSource), r.Mutation)
		if err != nil {
			t.Fatal(err)
		}
		if now := replaced(m); now != string(want) {
			t.Errorf("%s %s: %q, want %q", m.ID, m.MutatorName, now, want)
		}
	}
	if m := byID[record.Plan.Ignored[0].Mutation.ID]; m.Status != "Ignored" || m.StatusReason != `accepted: fine \x1b[2J` {
		t.Errorf("%+v", m)
	}
	s, err := record.Summary()
	if err != nil {
		t.Fatal(err)
	}
	if got.Config.Counts != s.Counts || got.Config.Score.Noticed != s.Caught+s.TimedOut || got.Config.Score.Of != s.Caught+s.TimedOut+s.Missed || got.Config.Seed != "18446744073709551615" {
		t.Errorf("%+v of %+v", got.Config, s.Counts)
	}
	var missed []string
	for _, l := range s.MissedList {
		missed = append(missed, l.ID)
	}
	var first []string
	for _, m := range file.Mutants[:len(missed)] {
		first = append(first, m.ID)
	}
	if !slices.Equal(missed, first) || !strings.HasSuffix(s.MissedList[0].Function, "g") {
		t.Errorf("missed in the summary %v, first in the report %v", missed, first)
	}
	if names := got.TestFiles["test_m.py"].Tests; len(names) != 1 || names[0].Name != "test_m.py::test_a" || len(got.TestFiles) != 2 {
		t.Errorf("%+v", got.TestFiles)
	}
}

// replaced puts the replacement of a mutant in its place as JavaScript would:
// in UTF-16, by lines and columns that count from 1.
func replaced(m readMutant) string {
	units := utf16.Encode([]rune(wideSource))
	starts := []int{0}
	for i, u := range units {
		if u == '\n' || u == 0x2028 || u == '\r' && units[i+1] != '\n' {
			starts = append(starts, i+1)
		}
	}
	from, to := starts[m.Location.Start.Line-1]+m.Location.Start.Column-1, starts[m.Location.End.Line-1]+m.Location.End.Column-1
	return string(utf16.Decode(units[:from])) + m.Replacement + string(utf16.Decode(units[to:]))
}

func TestThePageOfACheckIsOneFileThatWhatItShowsCannotLeave(t *testing.T) {
	if sum := sha256.Sum256([]byte(elements)); hex.EncodeToString(sum[:]) != "751fb010242b0b44e32d84fe7fe0b9ff1da182823b94f59f5c52b001fcfc163b" {
		t.Error("the component is not the published one: elements/README.md")
	}
	for _, end := range []string{"</script", "<script"} {
		if strings.Contains(strings.ToLower(elements), end) {
			t.Errorf("the bundle holds %s, and the page must escape it", end)
		}
	}
	var b bytes.Buffer
	if err := CheckHTML(&b, recordOf(t), "9.9"); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if n := strings.Count(page, "</script>"); n != 3 {
		t.Errorf("%d scripts end, want 3", n)
	}
	for _, bad := range []string{"<!--", "src=", "<link", "@import", "url(http", "<b>"} {
		if strings.Contains(strings.ReplaceAll(page, elements, ""), bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	if i, k := strings.Index(page, "7 functions depend on it"), strings.Index(page, "2 functions depend on it"); i < 0 || k < i {
		t.Errorf("what most code depends on is not first: %d, %d", i, k)
	}
}

func TestTheListsOfACheckHaveALineForEachMutation(t *testing.T) {
	record := recordOf(t)
	files := CheckLists(record)
	s, err := record.Summary()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"caught.txt": s.Caught, "missed.txt": s.Missed, "timed-out.txt": s.TimedOut, "not-covered.txt": s.NotCovered,
		"does-not-load.txt": s.DoesNotLoad, "set-aside.txt": s.SetAside, "ignored.txt": 1} {
		text, ok := files[name]
		if n := strings.Count(string(text), "\n"); !ok || n != want {
			t.Errorf("%s has %d lines, want %d", name, n, want)
		}
		for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
			if fields := strings.Split(line, "\t"); len(fields) != 4 || !strings.HasPrefix(fields[1], "pkg/m.py:") {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
	if len(files) != 7 || !strings.HasPrefix(string(files["missed.txt"]), s.MissedList[0].ID+"\t") {
		t.Errorf("%d files; missed:\n%s", len(files), files["missed.txt"])
	}
}
