package scripted

import (
	"context"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/arena/arenatest"
	"breakfix/internal/tree"
)

const code = "def least(a, b):\n    if a < b:\n        return a\n    return b\n"
const redTest = "from pkg.mod import least\n\n\ndef test_red():\n    assert least(1, 2) == 1\n"

func files() map[string]string { return map[string]string{"pkg/__init__.py": "", "pkg/mod.py": code} }

func TestABreakIsFoundByOperatorAndPlaceAndTheNextCallPlaysTheNext(t *testing.T) {
	base, err := tree.FromFiles(map[string]*tree.File{"pkg/mod.py": tree.Text(code)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse("moves", []byte("breaks:\n- {operator: relational_boundary, path: pkg/mod.py, line: 2}\n- {operator: relational_boundary, path: pkg/mod.py, line: 3}\n"))
	if err != nil {
		t.Fatal(err)
	}
	bank := arena.NewBank(base, nil, nil)
	a, err := arena.NewBreak(bank, arena.BreakOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Break(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	broken, _, err := a.Result()
	if err != nil {
		t.Fatal(err)
	}
	if src, _ := broken.Read("pkg/mod.py"); !strings.Contains(string(src), "if a <= b:") {
		t.Errorf("the broken file is\n%s", src)
	}
	if _, err := p.Break(context.Background(), a); err == nil || !strings.Contains(err.Error(), "break 2 of the script: relational_boundary has no such site at pkg/mod.py:3; in that file it has sites on lines [2]") {
		t.Errorf("got %v, want the lines where the operator has sites", err)
	}
	if _, err := p.Break(context.Background(), a); err == nil || !strings.Contains(err.Error(), "its breaks (2) are used up") {
		t.Errorf("got %v, want that the script has ended", err)
	}
}

func fix(t *testing.T, script string) (arena.FixResult, error) {
	t.Helper()
	r := &arenatest.Runner{Dir: t.TempDir()}
	b, broken := arenatest.Bug(t, r, files(), "pkg/mod.py", "a < b", "a > b", redTest)
	a, err := arena.NewFix(r, b, broken, arena.FixOptions{Steps: 5})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse("moves", []byte(script))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Fix(context.Background(), a); err != nil {
		return arena.FixResult{}, err
	}
	return a.Result()
}

func TestFixesArePlayedUntilTheRedTestPasses(t *testing.T) {
	got, err := fix(t, `{"fixes": [{"path": "pkg/mod.py", "old": "return b", "new": "return a + b"},
		{"path": "pkg/mod.py", "old": "a > b", "new": "a < b", "from": 0}, {"path": "pkg/mod.py", "old": "nowhere", "new": ""}]}`)
	if err != nil || got.Ending != arena.Submitted || len(got.Records) != 2 || got.Records[1].From != 0 {
		t.Errorf("got %s after %d steps, %v", got.Ending, len(got.Records), err)
	}
}

func TestAScriptThatDoesNotRepairHandsInItsLastTreeOrGivesUp(t *testing.T) {
	const move = "fixes:\n- {path: pkg/mod.py, old: return b, new: return a + b}\n"
	if got, err := fix(t, move); err != nil || got.Ending != arena.Submitted || !strings.Contains(string(got.Patch), "+    return a + b") {
		t.Errorf("got %s, %v, want the wrong repair handed in", got.Ending, err)
	}
	if got, err := fix(t, move+"give_up: true\n"); err != nil || got.Ending != arena.GaveUp {
		t.Errorf("got %s, %v, want gave_up", got.Ending, err)
	}
}

func TestScriptsThatCannotBePlayedAreRefusedWithTheReason(t *testing.T) {
	for script, want := range map[string]string{
		"braeks: []\n":                             "braeks",
		"breaks: []\n":                             "holds no moves",
		"breaks:\n- {operator: x}\n":               "break 1 names neither",
		"fixes:\n- {path: a.py}\n":                 "fix 1 needs a path and the old text",
		"fixes:\n- {path: a.py, old: x, new: [}\n": "script of moves moves",
	} {
		if _, err := Parse("moves", []byte(script)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", script, err, want)
		}
	}
	if _, err := Open("/nonexistent/moves.yaml"); err == nil || !strings.Contains(err.Error(), "read the script of moves") {
		t.Errorf("got %v, want an error about reading", err)
	}
	if _, err := fix(t, "fixes:\n- {path: pkg/mod.py, old: return, new: x}\n"); err == nil || !strings.Contains(err.Error(), "occurs 2 times") {
		t.Errorf("got %v, want that the old text is not unique", err)
	}
}
