package export_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/export"
	"breakfix/internal/outcome"
	"breakfix/internal/source"
	"breakfix/internal/tree"
	"breakfix/internal/witness"
)

// pins are what the small target needs; they install everywhere.
var pins = []string{"iniconfig==2.1.0", "packaging==25.0", "pluggy==1.6.0", "pygments==2.19.2", "pytest==8.4.2"}

var small = map[string]string{
	"pkg/__init__.py": "",
	"pkg/mod.py": `def clamp(value, low, high):
    """Keep value between low and high."""
    if value < low:
        return low
    if value > high:
        return high
    return value


def double(value):
    return value + value
`,
	"tests/test_mod.py": `import pytest
from pkg.mod import clamp, double


def test_above():
    assert clamp(9, 1, 3) == 3


def test_far_above():
    assert clamp(99, 1, 30) == 30


@pytest.mark.parametrize("text", ["a b", "c"])
def test_double(text):
    assert double(text) == text + text


def test_below():
    assert clamp(0, 1, 3) == 1
`,
}

// made is the small target and two bugs of it, validated once.
var made struct {
	sync.Once
	target bug.Target
	bugs   []*bug.Bug
}

func bugs(t *testing.T) []*bug.Bug {
	t.Helper()
	made.Do(func() {
		target := bugtest.Prepare(t, small)
		target.Recipe = source.Recipe{Version: "3.11.7", Path: []string{"."}}
		target.Lock = pins
		made.target = target
		for _, edit := range [][2]string{{"        return high\n", "        return low\n"}, {"return value + value", "return value + value + value"}} {
			src, err := target.Snapshot.Tree.Read("pkg/mod.py")
			if err != nil {
				t.Fatal(err)
			}
			broken, err := target.Snapshot.Tree.With(map[string]*tree.File{"pkg/mod.py": tree.Text(strings.Replace(string(src), edit[0], edit[1], 1))})
			if err != nil {
				t.Fatal(err)
			}
			res, err := bug.Validate(context.Background(), target, bug.Candidate{Tree: broken, Strategy: "operator", Order: 1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.Outcome != outcome.Valid {
				t.Fatalf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
			}
			made.bugs = append(made.bugs, res.Bug)
		}
	})
	if len(made.bugs) != 2 {
		t.Fatal("there are no bugs to export")
	}
	return slices.Clone(made.bugs)
}

func options() export.Options {
	return export.Options{Created: time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC), Suite: func(*bug.Bug) (export.Suite, error) {
		return export.Suite{Passing: made.target.Base.Results.Passed()}, nil
	}}
}

func each(all []*bug.Bug) iter.Seq2[*bug.Bug, error] {
	return func(yield func(*bug.Bug, error) bool) {
		for _, b := range all {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// exported writes bugs in a format into a new folder.
func exported(t *testing.T, format string, all []*bug.Bug) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	w, err := export.Write(format, dir, each(all), options())
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Bugs) != len(all) || len(w.Left) > 0 {
		t.Fatalf("%d of %d bugs written as %s, left out: %v", len(w.Bugs), len(all), format, w.Left)
	}
	return dir
}

func read(t *testing.T, dir string, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{dir}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func rows(t *testing.T, dir, name string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for l := range strings.Lines(read(t, dir, name)) {
		row := map[string]any{}
		if err := json.Unmarshal([]byte(l), &row); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

func apply(t *testing.T, tr *tree.Tree, patch any) *tree.Tree {
	t.Helper()
	out, err := tree.Apply(tr, []byte(patch.(string)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func list(t *testing.T, text any) []string {
	t.Helper()
	var out []string
	if err := json.Unmarshal([]byte(text.(string)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestATestThatTheBugLeavesOutIsNeitherToFailNorToPass(t *testing.T) {
	b := *bugs(t)[0]
	b.Unrun = []string{"tests/test_mod.py::test_double[c]"}
	row := rows(t, exported(t, "swebench", []*bug.Bug{&b}), "instances.jsonl")[0]
	fail, pass := list(t, row["FAIL_TO_PASS"]), list(t, row["PASS_TO_PASS"])
	if slices.Contains(b.Red, b.Unrun[0]) || len(pass) == 0 || slices.Contains(append(fail, pass...), b.Unrun[0]) {
		t.Errorf("red %q, FAIL_TO_PASS %q, PASS_TO_PASS %q", b.Red, fail, pass)
	}
}

func TestAWitnessThatIsHeldBackIsOneOfTheTestsThatJudge(t *testing.T) {
	b := *bugs(t)[1]
	b.HiddenTest = &witness.Test{Path: b.RedTest.Path, Test: b.RedTest.Path + "::test_witness", Code: "from pkg.mod import double\n\ndef test_witness():\n    assert double(4) == 8\n"}
	b.Hidden = []string{b.HiddenTest.Test}
	dir := exported(t, "swebench", []*bug.Bug{&b})
	row := rows(t, dir, "instances.jsonl")[0]
	image, err := bug.Unpack([]byte(read(t, dir, "tasks", row["instance_id"].(string), "base.tar.gz")))
	if err != nil {
		t.Fatal(err)
	}
	fail := list(t, row["FAIL_TO_PASS"])
	file, _, _ := strings.Cut(fail[len(fail)-1], "::")
	if image.Has(file) || strings.Contains(row["problem_statement"].(string), "double(4)") {
		t.Errorf("the solver is shown %s", file)
	}
	if text, err := apply(t, image, row["test_patch"]).Read(file); err != nil || string(text) != b.HiddenTest.Code || file == b.RedTest.Path {
		t.Errorf("%q of FAIL_TO_PASS: %v, %q", fail, err, text)
	}
	dir = exported(t, "harbor", []*bug.Bug{&b})
	tasks, err := filepath.Glob(filepath.Join(dir, "*", "tests"))
	if err != nil || len(tasks) != 1 || !strings.Contains(everything(t, tasks[0]), "double(4) == 8") || !strings.Contains(everything(t, tasks[0]), file+"::test_witness") {
		t.Errorf("%v, %v: the task's tests do not hold the witness", tasks, err)
	}
}

func TestABugThatOnlyAWitnessShowsHasOneTestAndIsNotForSWESmith(t *testing.T) {
	b := *bugs(t)[1]
	b.Witness, b.Red, b.Hidden, b.Weaken = true, []string{b.RedTest.Test}, nil, nil
	if fail := list(t, rows(t, exported(t, "swebench", []*bug.Bug{&b}), "instances.jsonl")[0]["FAIL_TO_PASS"]); !slices.Equal(fail, b.Red) {
		t.Errorf("FAIL_TO_PASS is %q, want %q", fail, b.Red)
	}
	done, err := export.Write("swesmith", filepath.Join(t.TempDir(), "out"), each([]*bug.Bug{&b}), options())
	if err != nil || len(done.Bugs) != 0 || len(done.Left) != 1 {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestAPatchOfSWEBenchRepairsWhatAnImageHoldsAndItsTestPatchBringsTheTests(t *testing.T) {
	all := bugs(t)
	dir := exported(t, "swebench", all)
	for i, row := range rows(t, dir, "instances.jsonl") {
		b, base := all[i], made.target.Snapshot.Tree
		id := row["instance_id"].(string)
		image, err := bug.Unpack([]byte(read(t, dir, "tasks", id, "base.tar.gz")))
		if err != nil {
			t.Fatal(err)
		}
		whole := apply(t, apply(t, image, row["patch"]), row["test_patch"])
		if d := tree.Differ(whole, base); !slices.Equal(d, []string{b.RedTest.Path}) {
			t.Errorf("%s: repaired and with its tests, %v differ from the base, want the red test alone", id, d)
		}
		fail, pass := list(t, row["FAIL_TO_PASS"]), list(t, row["PASS_TO_PASS"])
		if fail[0] != b.RedTest.Test {
			t.Errorf("%s: the first of FAIL_TO_PASS is %s", id, fail[0])
		}
		for _, red := range b.Red {
			if !strings.Contains(red, " ") && !slices.Contains(fail, red) {
				t.Errorf("%s: %s is red and not in FAIL_TO_PASS", id, red)
			}
			if slices.Contains(pass, red) {
				t.Errorf("%s: %s is red and in PASS_TO_PASS", id, red)
			}
		}
		if len(pass) == 0 || slices.ContainsFunc(append(fail, pass...), func(s string) bool { return strings.Contains(s, " ") }) {
			t.Errorf("%s: FAIL_TO_PASS %q, PASS_TO_PASS %q: a parser ends an id at its first space", id, fail, pass)
		}
		for _, column := range []string{"repo", "base_commit", "problem_statement", "created_at", "environment_setup_commit", "image", "eval_script", "log_parser", "eval_type"} {
			if row[column] == "" || row[column] == nil {
				t.Errorf("%s has no %s", id, column)
			}
		}
		if row["created_at"] != "2026-08-01T12:00:00Z" || row["image"] != "swebench/sweb.eval.x86_64."+strings.Replace(id, "__", "_1776_", 1)+":latest" {
			t.Errorf("created_at %v, image %v", row["created_at"], row["image"])
		}
	}
}

func TestAPatchOfSWESmithMakesTheBug(t *testing.T) {
	all := bugs(t)
	dir := exported(t, "swesmith", all)
	key := ""
	for i, row := range rows(t, dir, "instances.jsonl") {
		if got := apply(t, made.target.Snapshot.Tree, row["patch"]).Digest(); got != all[i].Broken {
			t.Errorf("the patch makes %s, the bug is %s", got, all[i].Broken)
		}
		_, key, _ = strings.Cut(row["repo"].(string), "/")
		if id := row["instance_id"].(string); id[:strings.LastIndex(id, ".")] != key {
			t.Errorf("SWE-smith takes the profile of %s from its id, which does not begin with %s", id, key)
		}
		if script := read(t, dir, "images", key, "branches.sh"); !strings.Contains(script, "branch "+row["instance_id"].(string)+"\n") {
			t.Errorf("the image has no branch for %v", row["instance_id"])
		}
	}
	if image, err := bug.Unpack([]byte(read(t, dir, "images", key, "base.tar.gz"))); err != nil || image.Digest() != made.target.Snapshot.Digest {
		t.Errorf("the image holds another tree than the clean base (%v)", err)
	}
}

// The branches of a SWE-smith image are what its tools check out: the bug
// without its tests, and before it the bug with them.
func TestASWESmithImageHasABranchOfTwoCommitsForEachBug(t *testing.T) {
	all := bugs(t)
	dir := exported(t, "swesmith", all)
	row := rows(t, dir, "instances.jsonl")[0]
	_, key, _ := strings.Cut(row["repo"].(string), "/")
	image, work := filepath.Join(dir, "images", key), filepath.Join(t.TempDir(), "testbed")
	if err := made.target.Snapshot.Tree.WriteTo(work); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", work, "-c", "user.name=a", "-c", "user.email=a@b"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	git("init", "--quiet")
	git("add", "--all")
	git("commit", "--quiet", "--message", "base")
	script := strings.NewReplacer("/testbed", work, "/tmp/patches", filepath.Join(image, "patches")).Replace(read(t, image, "branches.sh"))
	if out, err := exec.Command("bash", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	id := row["instance_id"].(string)
	for commit, want := range map[string]struct{ code, tests bool }{id: {false, false}, id + "~1": {false, true}, "main": {true, true}} {
		if got := strings.Contains(git("show", commit+":pkg/mod.py"), "        return high\n"); got != want.code {
			t.Errorf("the code of %s is right: %v, want %v", commit, got, want.code)
		}
		if got := strings.Contains(git("show", commit+":tests/test_mod.py"), "def test_above"); got != want.tests {
			t.Errorf("%s has the red test: %v, want %v", commit, got, want.tests)
		}
	}
}

// everything is the text of all files below a folder, archives unpacked.
func everything(t *testing.T, dir string) string {
	t.Helper()
	var all bytes.Buffer
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		all.WriteString("\n" + p + "\n")
		if !strings.HasSuffix(p, ".tar.gz") {
			all.Write(data)
			return nil
		}
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return err
		}
		for r := tar.NewReader(z); ; {
			h, err := r.Next()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			all.WriteString("\n" + h.Name + "\n")
			if _, err := io.Copy(&all, r); err != nil {
				return err
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestAHarborTaskGivesTheSolverNeitherTheRedTestsNorTheRepair(t *testing.T) {
	all := bugs(t)
	dir := exported(t, "harbor", all)
	for _, b := range all {
		task := filepath.Join(dir, "local-tiny-"+b.ID)
		given := everything(t, filepath.Join(task, "environment")) + read(t, task, "instruction.md")
		for _, red := range b.Red {
			_, fn, _ := strings.Cut(red, "::")
			fn, _, _ = strings.Cut(fn, "[")
			if strings.Contains(everything(t, filepath.Join(task, "environment")), "def "+fn+"(") {
				t.Errorf("the environment of %s holds the red test %s", b.ID, red)
			}
		}
		for _, hidden := range b.Hidden {
			if strings.Contains(given, hidden) {
				t.Errorf("the solver of %s reads the hidden test %s", b.ID, hidden)
			}
		}
		if strings.Contains(given, b.RedTest.Path) {
			t.Errorf("the solver of %s reads under which name the red test grades", b.ID)
		}
		if tests := everything(t, filepath.Join(task, "tests")); !strings.Contains(tests, b.RedTest.Path) || !strings.Contains(tests, "def test_below(") {
			t.Errorf("the tests of %s are not whole", b.ID)
		}
	}
	if !slices.ContainsFunc(all, func(b *bug.Bug) bool { return len(b.Hidden) > 0 }) {
		t.Error("no bug of this test has a hidden test, so it shows nothing")
	}
}

func TestAChatAsksWithTheCodeAroundAndAnswersWithTheRepair(t *testing.T) {
	all := bugs(t)
	for i, row := range rows(t, exported(t, "chat", all), "messages.jsonl") {
		var roles []string
		var text []string
		for _, m := range row["messages"].([]any) {
			roles = append(roles, m.(map[string]any)["role"].(string))
			text = append(text, m.(map[string]any)["content"].(string))
		}
		if got := strings.Join(roles, " "); got != "system user assistant" {
			t.Fatalf("the roles are %s", got)
		}
		if tools, ok := row["tools"].([]any); !ok || len(tools) > 0 {
			t.Errorf("tools are %v, want an empty list", row["tools"])
		}
		diff := strings.TrimSuffix(strings.TrimPrefix(text[2], "```diff\n"), "```\n")
		broken := apply(t, made.target.Snapshot.Tree, string(all[i].Inject))
		if apply(t, broken, diff).Digest() != made.target.Snapshot.Digest {
			t.Errorf("the answer to %s does not repair it", all[i].ID)
		}
		if !strings.Contains(text[1], "pkg/mod.py, lines ") {
			t.Errorf("the question shows no code:\n%s", text[1])
		}
	}
}

func TestLinesOfBreakfixAreTheArtifacts(t *testing.T) {
	all := bugs(t)
	i := 0
	for l := range strings.Lines(read(t, exported(t, "breakfix", all), "bugs.jsonl")) {
		b, err := bug.ParseLine([]byte(l))
		if err != nil || b.ID != all[i].ID || b.Source.Tree.Digest() != all[i].Base {
			t.Errorf("line %d is not bug %s: %v", i+1, all[i].ID, err)
		}
		i++
	}
}

func TestTheSameBugsGiveTheSameFiles(t *testing.T) {
	for _, format := range export.Names() {
		a, b := exported(t, format, bugs(t)), exported(t, format, bugs(t))
		if strings.ReplaceAll(everything(t, a), a, "") != strings.ReplaceAll(everything(t, b), b, "") {
			t.Errorf("two exports as %s differ", format)
		}
	}
}

func TestWhatIsNoBugOrTwiceIsLeftOutAndNamed(t *testing.T) {
	all := bugs(t)
	dir := filepath.Join(t.TempDir(), "out")
	w, err := export.Write("chat", dir, func(yield func(*bug.Bug, error) bool) {
		_ = yield(all[0], nil) && yield(nil, &export.InvalidError{Where: "somewhere", Err: errors.New("it is a teapot")}) && yield(all[0], nil) && yield(all[1], nil)
	}, options())
	if err != nil {
		t.Fatal(err)
	}
	if want := []export.Left{{Bug: "somewhere", Reason: "it is a teapot"}, {Bug: all[0].ID, Reason: "it is there twice"}}; !slices.Equal(w.Left, want) {
		t.Errorf("left out: %v, want %v", w.Left, want)
	}
	if n := len(rows(t, dir, "messages.jsonl")); n != 2 {
		t.Errorf("%d bugs written, want 2", n)
	}
	if _, err := export.Write("chat", dir, each(all), options()); !errors.Is(err, export.ErrExists) {
		t.Errorf("a folder that exists gives %v", err)
	}
}

func TestAnExportThatBreaksOffLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	boom := errors.New("the disk is on fire")
	for _, format := range export.Names() {
		for _, err := range []error{nil, boom} {
			_, got := export.Write(format, filepath.Join(parent, "out"), func(yield func(*bug.Bug, error) bool) {
				if err != nil {
					yield(nil, err)
				}
			}, options())
			if !errors.Is(got, err) {
				t.Errorf("%s: %v, want %v", format, got, err)
			}
		}
	}
	if left, _ := os.ReadDir(parent); len(left) > 0 {
		t.Errorf("%s is left behind", left[0].Name())
	}
}

func TestAnUnknownFormatNamesTheNearest(t *testing.T) {
	_, err := export.Lookup("swe-bench")
	var unknown *export.UnknownError
	if !errors.As(err, &unknown) || unknown.Nearest != "swebench" {
		t.Errorf("%v, want swebench named", err)
	}
}
