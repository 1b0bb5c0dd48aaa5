package check

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

const line = "x = 1\n"

func resultOf(id string, o outcome.Break, covering ...int32) Result {
	return Result{Mutation: mutate.Mutation{ID: id, Operator: "op", Path: "a.py", Line: 1, LastLine: 1, Edits: []tree.Edit{{Start: 4, End: 5, New: "2"}}},
		Outcome: o, Tests: len(covering), Covering: NewTestSet(covering...), Took: time.Millisecond}
}

func planOf(snapshot string, tests ...Test) Plan {
	return Plan{Source: "/code", Snapshot: snapshot, Environment: "env", Files: map[string]string{"a.py": line}, Suite: map[string]string{}, Tests: tests}
}

func take(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := Take(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestWhatIsStoredIsReadBackWhileTheFolderIsWrittenTo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	f := take(t, dir)
	if err := f.Begin(planOf("s"), nil); err != nil {
		t.Fatal(err)
	}
	want := []Result{resultOf("a1", outcome.Valid, 0, 1, 2, 5), resultOf("b2", outcome.Unnoticed)}
	want[0].Test, want[0].Failure = "t", "AssertionError: 1"
	for i, r := range want {
		if err := f.Store(r, []byte("log of "+r.Mutation.ID)); err != nil {
			t.Fatal(err)
		}
		got, err := Read(dir)
		if err != nil || got.Ended != Unfinished {
			t.Fatalf("%v, %v", got, err)
		}
		if d := cmp.Diff(want[:i+1], got.Results); d != "" {
			t.Error(d)
		}
	}
	diff, _ := os.ReadFile(DiffFile(dir, "a1"))
	log, _ := os.ReadFile(LogFile(dir, "b2"))
	if !strings.Contains(string(diff), "-x = 1\n+x = 2\n") || string(log) != "log of b2" {
		t.Errorf("diff %q, log %q", diff, log)
	}
	if ignored, _ := os.ReadFile(filepath.Join(dir, ".gitignore")); string(ignored) != "*\n" {
		t.Error("git would see the folder")
	}

	// A line that was cut off by a kill is no result; the next one of a mutation counts.
	results, _ := os.OpenFile(filepath.Join(dir, "results-1.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	b, _ := json.Marshal(resultOf("a1", outcome.Unnoticed))
	results.Write(append(b, '\n'))
	results.WriteString(`{"mutation":{"id":"c3"`)
	results.Close()
	got, err := Read(dir)
	if err != nil || len(got.Results) != 2 || got.Results[0].Outcome != outcome.Unnoticed {
		t.Errorf("%+v, %v", got, err)
	}

	// What is begun anew holds what is kept and nothing else.
	if err := f.Begin(planOf("s2"), map[string]Result{"b2": want[1]}); err != nil {
		t.Fatal(err)
	}
	got, err = Read(dir)
	if err != nil || got.Plan.Snapshot != "s2" || len(got.Results) != 1 || got.Results[0].Mutation.ID != "b2" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := os.Stat(DiffFile(dir, "a1")); err == nil {
		t.Error("the diff of a mutation that is not kept is there")
	}
	if _, err := os.Stat(LogFile(dir, "b2")); err != nil {
		t.Error(err)
	}
	if old, _ := filepath.Glob(filepath.Join(dir, "results-*.jsonl")); len(old) != 1 {
		t.Errorf("%v", old)
	}
}

func TestAFolderThatCannotBeUsedIsBadInput(t *testing.T) {
	dir := t.TempDir()
	held := filepath.Join(dir, "held")
	f := take(t, held)
	if err := f.Begin(planOf("s"), nil); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		full := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(full), 0o755)
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return filepath.Dir(full)
	}
	plan := func(change func(*Plan)) string {
		p := planOf("s")
		p.Format, p.Results = planFormat, "results-1.jsonl"
		change(&p)
		b, _ := json.Marshal(p)
		return string(b)
	}
	good := plan(func(*Plan) {})
	for name, c := range map[string]struct {
		use  func() error
		want string
	}{
		"two processes": {func() error { _, err := Take(held); return err }, "being written to by another check"},
		"other things":  {func() error { _, err := Take(write("other/notes.txt", "mine")); return err }, "notes.txt is in it"},
		"a file":        {func() error { _, err := Take(filepath.Join(write("file/f", ""), "f")); return err }, "no results folder can be made"},
		"nothing":       {func() error { _, err := Read(filepath.Join(dir, "nowhere")); return err }, "holds no check"},
		"no JSON":       {func() error { _, err := Read(write("nojson/"+PlanFile, "{")); return err }, "cannot be read"},
		"a later format": {func() error {
			_, err := Read(write("later/"+PlanFile, plan(func(p *Plan) { p.Format = 99 })))
			return err
		},
			"has the format 99"},
		"a path for its results": {func() error {
			_, err := Read(write("path/"+PlanFile, plan(func(p *Plan) { p.Results = "../../etc/passwd" })))
			return err
		}, "no file beside it"},
		"no results": {func() error { _, err := Read(write("none/"+PlanFile, good)); return err }, "the results cannot be read"},
		"a line that is no result": {func() error {
			write("bad/"+PlanFile, good)
			_, err := Read(write("bad/results-1.jsonl", "{}\n"))
			return err
		}, "results-1.jsonl:1 is no result"},
		"an edit outside of its file": {func() error {
			write("edit/"+PlanFile, good)
			r := resultOf("a", outcome.Valid)
			r.Mutation.Edits[0].End = 99
			b, _ := json.Marshal(r)
			_, err := Read(write("edit/results-1.jsonl", string(b)+"\n"))
			return err
		}, "a place in"},
		"a set of a billion tests": {func() error {
			write("set/"+PlanFile, good)
			b, _ := json.Marshal(resultOf("a", outcome.Valid, 1))
			_, err := Read(write("set/results-1.jsonl", strings.Replace(string(b), `"covering":"1"`, `"covering":"0-4000000000"`, 1)+"\n"))
			return err
		}, "is no result"},
	} {
		err := c.use()
		var bad *FolderError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) || bad.Next == "" {
			t.Errorf("%s: %v, want %q and the next step", name, err, c.want)
		}
	}
}

func TestASetOfTestsIsWrittenInRanges(t *testing.T) {
	for want, s := range map[string]TestSet{"": nil, "0": {0}, "0-3,9": {0, 1, 2, 3, 9}, "1,3,5-6": {1, 3, 5, 6}} {
		b, _ := json.Marshal(s)
		var back TestSet
		if err := json.Unmarshal(b, &back); err != nil || string(b) != `"`+want+`"` || !cmp.Equal(s, back) {
			t.Errorf("%v: %s, back %v, %v", s, b, back, err)
		}
	}
	if s := NewTestSet(5, -1, 2, 5); s.String() != "2,5" || !s.Has(5) || s.Has(3) {
		t.Errorf("%v", s)
	}
	for _, bad := range []string{`"a"`, `"3-1"`, `"-1"`, `"1,"`, `7`} {
		var s TestSet
		if json.Unmarshal([]byte(bad), &s) == nil {
			t.Errorf("%s is a set: %v", bad, s)
		}
	}
}
