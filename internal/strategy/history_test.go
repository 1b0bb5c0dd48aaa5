package strategy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/outcome"
	"breakfix/internal/source"
	"breakfix/internal/strategy"
)

// repository is a small git repository: each step is a message and files.
func repository(t *testing.T, steps ...any) string {
	t.Helper()
	dir := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	for i := 0; i < len(steps); i += 2 {
		for name, text := range steps[i+1].(map[string]string) {
			p := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		git("add", "-A")
		git("commit", "-q", "-m", steps[i].(string))
	}
	return dir
}

const (
	firstMean = "def mean(xs):\n    return sum(xs) / len(xs)\n"
	fixedMean = "def mean(xs):\n    if not xs:\n        return 0\n    return sum(xs) / len(xs)\n"
	span      = "\n\ndef span(xs):\n    return max(xs) - min(xs)\n"
	// Today's file has other lines above and a word of the context changed.
	todayMean = "\"\"\"Numbers.\"\"\"\nimport math\n\n\ndef mean(xs):\n    if not xs:\n        return 0\n    return math.fsum(xs) / len(xs)\n"
	rewritten = "\n\ndef span(xs):\n    low, high = min(xs), max(xs)\n    return high - low\n"
	suite     = "from pkg.numbers import mean, span\n\n\ndef test_mean():\n    assert mean([1, 3]) == 2\n\n\ndef test_empty():\n    assert mean([]) == 0\n\n\ndef test_span():\n    assert span([1, 4]) == 3\n"
)

func TestHistoryUndoesAPastFixInTodaysCode(t *testing.T) {
	dir := repository(t,
		"first", map[string]string{"numbers.py": firstMean + "\n\ndef span(xs):\n    return max(xs)\n"},
		"SECRET-WORDS: fix the mean of nothing", map[string]string{"numbers.py": fixedMean + "\n\ndef span(xs):\n    return max(xs)\n"},
		"span was wrong", map[string]string{"numbers.py": fixedMean + span},
		"move", map[string]string{"pkg/numbers.py": todayMean + rewritten, "pkg/__init__.py": "", "numbers.py": "", "test_numbers.py": suite},
		"say what it is", map[string]string{"pkg/numbers.py": strings.Replace(todayMean, "Numbers", "Some numbers", 1) + rewritten},
		"fix annotations", map[string]string{"pkg/numbers.py": strings.Replace(strings.Replace(todayMean, "Numbers", "Some numbers", 1), "mean(xs)", "mean(xs: list) -> float", 1) + rewritten},
	)
	if err := os.Remove(filepath.Join(dir, "numbers.py")); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	snap, err := source.Open(t.Context(), dir, source.Options{Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	target := bugtest.PrepareTree(t, snap.Tree)
	target.Snapshot = snap
	from := sourceOf(target)
	s, err := strategy.New("history", from, strategy.Options{Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	screened := map[string]int{}
	var valid []*bug.Bug
	for _, p := range drawn(t, s, seeded(1), 100) {
		if p.Candidate.Tier != 0 || len(p.Candidate.Origin) != 40 || p.Candidate.Strategy != "history" {
			t.Errorf("%+v", p.Candidate)
		}
		if p.Screened != "" {
			screened[p.Screened]++
			continue
		}
		res, err := bug.Validate(t.Context(), target, p.Candidate, nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.Outcome != outcome.Valid {
			t.Errorf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
			continue
		}
		valid = append(valid, res.Bug)
	}
	// Documentation and annotations were changed once each; span is not written as it was fixed, and
	// the first file was emptied when its code moved.
	if screened[strategy.NoCode] != 2 || screened[strategy.DoesNotApply] != 2 || len(valid) != 1 {
		t.Fatalf("screened %v, %d valid", screened, len(valid))
	}
	b := valid[0]
	fix, err := exec.Command("git", "-C", dir, "log", "--format=%H", "--grep=SECRET-WORDS").Output()
	if err != nil {
		t.Fatal(err)
	}
	if b.Origin != strings.TrimSpace(string(fix)) || b.Strategy != "history" || strings.Join(b.Red, " ") != "test_numbers.py::test_empty" {
		t.Errorf("undid %s (%s), red %v", b.Origin, fix, b.Red)
	}
	if !strings.Contains(string(b.Inject), "-    if not xs:\n-        return 0\n     return math.fsum") {
		t.Errorf("inject.diff:\n%s", b.Inject)
	}
	// Of the commit the artifact has the id alone, and it loads again.
	out := filepath.Join(t.TempDir(), b.ID)
	if err := b.Write(out); err != nil {
		t.Fatal(err)
	}
	loaded, err := bug.Load(out)
	if err != nil || loaded.Origin != b.Origin {
		t.Errorf("loaded: %v, %v", loaded, err)
	}
	line, err := b.MarshalLine()
	if err != nil || strings.Contains(string(line), "SECRET") {
		t.Errorf("the commit's text is in the artifact (%v)", err)
	}
}

func TestHistoryOfAURLIsReadFromACloneThatDoesNotStay(t *testing.T) {
	dir := repository(t,
		"first", map[string]string{"numbers.py": firstMean, "test_numbers.py": "from numbers import x\n"},
		"fix the mean of nothing", map[string]string{"numbers.py": fixedMean},
	)
	cache := t.TempDir()
	snap, err := source.Open(t.Context(), "file://"+dir, source.Options{Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	commits, err := source.History(t.Context(), snap, cache, func(p string) bool { return p == "numbers.py" })
	if err != nil {
		t.Fatal(err)
	}
	if len(commits) != 1 || !commits[0].Fix || !strings.Contains(string(commits[0].Files["numbers.py"]), "+    if not xs:\n") {
		t.Errorf("%+v", commits)
	}
	err = filepath.WalkDir(cache, func(p string, d os.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(p, ".git") || d.Name() == "objects") {
			t.Errorf("%s stays", p)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
