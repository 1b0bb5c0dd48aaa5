package mutate_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// corpus is a bounded sample of the standard library of the installed Python:
// real code of many hands and ages.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import os; print(os.path.dirname(os.__file__))").Output()
	if err != nil {
		t.Skipf("no python3 to take a corpus from: %v", err)
	}
	dir := strings.TrimSpace(string(out))
	files := map[string][]byte{}
	for _, name := range strings.Fields("bisect.py heapq.py queue.py sched.py textwrap.py contextlib.py asyncio/locks.py asyncio/queues.py " +
		"asyncio/tasks.py json/decoder.py csv.py graphlib.py") {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			files[name] = b
		}
	}
	if len(files) < 8 {
		t.Skipf("only %d files of the corpus are in %s", len(files), dir)
	}
	return files
}

func readLib(t testing.TB, name string) []byte {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import os; print(os.path.dirname(os.__file__))").Output()
	if err != nil {
		t.Skipf("no python3 to take a corpus from: %v", err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), name))
	if err != nil {
		t.Skip(err)
	}
	return b
}

func names(files map[string][]byte) []string {
	var ns []string
	for n := range files {
		ns = append(ns, n)
	}
	sort.Strings(ns)
	return ns
}

func enumerate(t *testing.T, path string, src []byte) []mutate.Mutation {
	t.Helper()
	f, err := python.Python.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return mutate.Enumerate(python.Python, path, f, mutate.Operators())
}

func TestEveryMutationOfRealFilesIsSound(t *testing.T) {
	files := corpus(t)
	perOperator := map[string]int{}
	type sample struct {
		What string
		Text string
	}
	var samples []sample
	for _, name := range names(files) {
		src := files[name]
		ms := enumerate(t, name, src)
		if diff := cmp.Diff(ms, enumerate(t, name, src)); diff != "" {
			t.Errorf("%s: the second enumeration differs: %s", name, diff)
		}
		ids := map[string]bool{}
		texts := map[string]string{}
		at, last := 0, ""
		for i, m := range ms {
			perOperator[m.Operator]++
			where := name + ": " + m.Operator + " (" + m.Variant + ")"
			if ids[m.ID] {
				t.Errorf("%s has the id of another", where)
			}
			ids[m.ID] = true
			if m.Edits[0].Start < at {
				t.Errorf("%s comes after %s", where, last)
			}
			at, last = m.Edits[0].Start, where
			got, err := mutate.ApplyTo(src, m)
			if err != nil {
				t.Errorf("%s: %v", where, err)
				continue
			}
			if bytes.Equal(got, src) {
				t.Errorf("%s changes nothing", where)
			}
			if other, ok := texts[string(got)]; ok {
				t.Errorf("%s is the same text as %s", where, other)
			}
			texts[string(got)] = where
			outside(t, where, src, got, m.Edits)
			if m.Path != name || m.Line < 1 || m.LastLine < m.Line || m.Line > bytes.Count(src, []byte("\n"))+1 {
				t.Errorf("%s is at %s:%d-%d", where, m.Path, m.Line, m.LastLine)
			}
			if i%9 == 0 { // parsed afresh, by both parsers: a sample
				f, err := python.Python.Parse(got)
				if err != nil || f.HasError {
					t.Errorf("%s does not parse: %v", where, err)
				}
				samples = append(samples, sample{where, string(got)})
			}
		}
	}
	t.Logf("mutations an operator: %v", perOperator)
	for _, o := range mutate.Operators() {
		if perOperator[o.Name] == 0 && o.Name != "dangling_task" && o.Name != "bitwise_shift_replace" { // rare; their own cases show them
			t.Errorf("%s finds nothing in the whole corpus", o.Name)
		}
	}

	// Python itself compiles all but a few: some rules (a name used before its
	// global statement) are beyond the grammar.
	cmd := exec.Command("python3", "-W", "ignore", "-c", `
import json, sys
for s in map(json.loads, sys.stdin):
    try: compile(s["Text"], "x", "exec")
    except SyntaxError as e: print(s["What"], "|", e)
`)
	var in bytes.Buffer
	e := json.NewEncoder(&in)
	for _, s := range samples {
		if err := e.Encode(s); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Stdin = &in
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if bad := strings.Count(string(out), "\n"); bad*1000 > len(samples) {
		t.Errorf("Python rejects %d of %d:\n%s", bad, len(samples), out)
	}
}

// outside checks that the bytes between the edits are those of the source.
func outside(t *testing.T, where string, src, got []byte, edits []tree.Edit) {
	t.Helper()
	from, shift := 0, 0
	check := func(to int) {
		if from > to || !bytes.Equal(src[from:to], got[from+shift:to+shift]) {
			t.Errorf("%s changes bytes outside its edits", where)
		}
	}
	for _, e := range edits {
		check(e.Start)
		from = e.End
		shift += len(e.New) - (e.End - e.Start)
	}
	check(len(src))
}

func TestIDsOutliveEditsElsewhereInTheFile(t *testing.T) {
	files := corpus(t)
	src := files["queue.py"]
	before := map[string]bool{}
	for _, m := range enumerate(t, "queue.py", src) {
		before[m.ID] = true
	}
	moved := append([]byte("import os\n\ndef added(a, b):\n    return a + b\n\n"), src...)
	kept := 0
	for _, m := range enumerate(t, "queue.py", moved) {
		if before[m.ID] {
			kept++
		}
	}
	if kept != len(before) {
		t.Errorf("%d of %d ids are left after a function was put in front", kept, len(before))
	}
}

func TestAFileThatDoesNotParseHasNoSites(t *testing.T) {
	if ms := enumerate(t, "a.py", []byte("def f(:\n    return 1 + 2\n")); len(ms) != 0 {
		t.Errorf("%d mutations of a broken file", len(ms))
	}
}

func TestMutationsOfATreeLeaveItsOtherFilesAlone(t *testing.T) {
	tr, err := tree.FromFiles(map[string]*tree.File{"a.py": tree.Text("def f(x):\n    return x < 1\n"), "b.py": tree.Text("y = 2\n")})
	if err != nil {
		t.Fatal(err)
	}
	src, _ := tr.Read("a.py")
	ms := enumerate(t, "a.py", src)
	got, err := mutate.Apply(tr, ms[0])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a.py"}, tree.Differ(tr, got)); diff != "" {
		t.Error(diff)
	}
	if _, err := mutate.Apply(tr, ms[0], ms[0]); err == nil {
		t.Error("the same mutation was made twice")
	}
	if _, err := mutate.Apply(got, mutate.Mutation{Path: "c.py"}); err == nil {
		t.Error("a mutation of a file that does not exist was made")
	}
}

func TestAnUnknownOperatorIsAnsweredWithTheNearest(t *testing.T) {
	if o, err := mutate.Lookup("deadlock_injection"); err != nil || o.Number != 57 {
		t.Errorf("%v, %v", o.Number, err)
	}
	if _, err := mutate.Lookup("off_by_one"); err == nil || !strings.Contains(err.Error(), "off_by_one_shift") {
		t.Errorf("the error is %v", err)
	}
}

func TestTheBankIsInOrderAndComplete(t *testing.T) {
	starred := map[int]bool{}
	for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 24, 25, 27, 30, 33, 34, 35, 37, 39, 42, 43, 44, 47, 48, 50, 57, 58, 66, 67, 68} {
		starred[n] = true
	}
	last := 0
	for _, o := range mutate.Operators() {
		if o.Number <= last || o.Name == "" || o.Doc == "" || o.Source == "" || o.Group == "" || cmp.Diff([]string{"python"}, o.Languages()) != "" {
			t.Errorf("operator %d %s is out of order or not described", o.Number, o.Name)
		}
		last = o.Number
		delete(starred, o.Number)
	}
	if len(starred) > 0 {
		t.Errorf("of the core bank these are missing: %v", starred)
	}
}

var _ lang.Language = python.Python
