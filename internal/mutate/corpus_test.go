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

// corpus is a bounded sample of the standard library of the installed Python,
// real code of many hands and ages, with the two small targets of testdata.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import os; print(os.path.dirname(os.__file__))").Output()
	if err != nil {
		t.Skipf("no python3 to take a corpus from: %v", err)
	}
	dir := strings.TrimSpace(string(out))
	files := map[string][]byte{}
	for _, name := range strings.Fields("bisect.py heapq.py queue.py sched.py textwrap.py contextlib.py asyncio/locks.py asyncio/queues.py " +
		"asyncio/tasks.py json/decoder.py csv.py graphlib.py colorsys.py random.py") {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			files[name] = b
		}
	}
	if len(files) < 8 {
		t.Skipf("only %d files of the corpus are in %s", len(files), dir)
	}
	own, err := filepath.Glob("testdata/*/*.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range own {
		if files[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
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
			if back, err := tree.ApplyEdits(got, inverse(src, m.Edits)); err != nil || !bytes.Equal(back, src) {
				t.Errorf("%s is not restored by its inverse: %v", where, err)
			}
			if m.Path != name || m.Line < 1 || m.LastLine < m.Line || m.Line > bytes.Count(src, []byte("\n"))+1 {
				t.Errorf("%s is at %s:%d-%d", where, m.Path, m.Line, m.LastLine)
			}
			if i%27 == 0 { // parsed afresh, by both parsers: a sample
				f, err := python.Python.Parse(got)
				if err != nil || f.HasError {
					t.Errorf("%s does not parse: %v", where, err)
				}
				samples = append(samples, sample{where, string(got)})
				if i%81 == 0 && mutate.Same(src, got) {
					t.Errorf("%s runs as the source does", where)
				}
			}
		}
	}
	t.Logf("mutations an operator: %v", perOperator)
	for _, o := range mutate.Operators() {
		if perOperator[o.Name] == 0 {
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

// inverse returns the edits that take what the edits of src made of it back.
func inverse(src []byte, edits []tree.Edit) []tree.Edit {
	var back []tree.Edit
	shift := 0
	for _, e := range edits {
		back = append(back, tree.Edit{Start: e.Start + shift, End: e.Start + shift + len(e.New), New: string(src[e.Start:e.End])})
		shift += len(e.New) - (e.End - e.Start)
	}
	return back
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

// starred are the 42 operators that the catalogue marks as the core.
var starred = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 24, 25, 27, 30, 31, 33, 34, 35, 37, 39, 42, 43, 44, 47, 48, 50, 57, 58, 65, 66, 67, 68}

func TestTheCoreIsWhatTheCatalogueStars(t *testing.T) {
	var core []int
	for _, o := range mutate.Operators() {
		if o.Core {
			core = append(core, o.Number)
		}
	}
	if diff := cmp.Diff(starred, core); diff != "" || len(core) != 42 {
		t.Errorf("%d operators are core: %s", len(core), diff)
	}
}

func TestTheBankIsInOrderAndDescribed(t *testing.T) {
	last, core := 0, true
	for _, o := range mutate.Operators() {
		if core && !o.Core {
			core, last = false, 0 // the further ones, from the beginning
		}
		if o.Core != core || o.Number <= last {
			t.Errorf("operator %d %s is out of order", o.Number, o.Name)
		}
		if o.Name == "" || o.Doc == "" || o.Source == "" || o.Group == "" || o.Needs == "" || strings.ContainsAny(o.Needs, "\n") || cmp.Diff([]string{"python"}, o.Languages()) != "" {
			t.Errorf("operator %d %s is not described", o.Number, o.Name)
		}
		last = o.Number
	}
}

func TestRepairsHoldTheBankAndTheWayBackOfWhatIsSeldomNoticed(t *testing.T) {
	offers := func(ops []mutate.Operator, src, variant string) bool {
		f, err := python.Python.Parse([]byte(src))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mutate.Enumerate(python.Python, "a.py", f, ops) {
			if m.Variant == variant {
				return true
			}
		}
		return false
	}
	for src, variant := range map[string]string{"def f(s):\n    return s.lower()\n": "lower → casefold", "def f():\n    return (1, 2)\n": "tuple → list", "def f():\n    return False\n": "return None"} {
		if offers(mutate.Operators(), src, variant) || !offers(mutate.Repairs(), src, variant) {
			t.Errorf("%s is to be offered for repairing alone", variant)
		}
	}
	for i, o := range mutate.Repairs() {
		if o.Name != mutate.Operators()[i].Name {
			t.Errorf("%s is not where it is in the bank", o.Name)
		}
	}
}

func TestASharedContainerIsMadeForEachCallOrObjectAgain(t *testing.T) {
	for _, src := range []string{
		"class K:\n    def __init__(self, a):\n        self.a = a\n        self.b = []\n\n    def m(self):\n        self.b.append(1)\n",
		"def f(a, x=None):\n    if x is None:\n        x = []\n    x.append(a)\n    return x\n",
		"def f(a):\n    x = {}\n    x[a] = 1\n    return x\n",
		"def f(**kw):\n    x = set()\n    x.add(1)\n    return x, kw\n",
	} {
		op, err := mutate.Lookup("shared_mutable_state")
		if err != nil {
			t.Fatal(err)
		}
		f, err := python.Python.Parse([]byte(src))
		if err != nil {
			t.Fatal(err)
		}
		ms := mutate.Enumerate(python.Python, "a.py", f, []mutate.Operator{op})
		if len(ms) == 0 {
			t.Errorf("nothing is offered for\n%s", src)
		}
		for _, m := range ms {
			broken, err := mutate.ApplyTo([]byte(src), m)
			if err != nil {
				t.Fatal(err)
			}
			g, err := python.Python.Parse(broken)
			if err != nil {
				t.Fatal(err)
			}
			restored := false
			for _, back := range mutate.Enumerate(python.Python, "a.py", g, mutate.Repairs()) {
				got, err := mutate.ApplyTo(broken, back)
				if err != nil {
					t.Fatal(err)
				}
				restored = restored || string(got) == src
			}
			if !restored {
				t.Errorf("nothing takes this back (%s):\n%s", m.Variant, broken)
			}
		}
	}
}

func TestSitesAreCountedOnceForAllTheirVariants(t *testing.T) {
	got := mutate.Sites(enumerate(t, "a.py", []byte("def f(a, b):\n    return a[1] + a[2] < b\n")))
	if got["off_by_one_shift"] != 2 || got["relational_boundary"] != 1 || got["lock_removal"] != 0 {
		t.Errorf("%v", got)
	}
}

var _ lang.Language = python.Python
