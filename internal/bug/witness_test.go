package bug_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/outcome"
	"breakfix/internal/witness"
)

// unwatched is a suite that calls much and looks at little.
var unwatched = map[string]string{
	"num.py":      "def clip(n, most=9):\n    if n > most:\n        return most\n    return max(n, 0) + 0\n",
	"test_num.py": "from num import clip\n\n\ndef test_clip():\n    assert clip(3) == 3\n    clip(12)\n\n\ndef test_else():\n    assert True\n",
}

var witnessed struct {
	sync.Once
	target bug.Target
	bug    *bug.Bug
}

// witnessedBug is a bug that no test of its suite notices.
func witnessedBug(t *testing.T) (bug.Target, *bug.Bug) {
	t.Helper()
	witnessed.Do(func() {
		tg := bugtest.Prepare(t, unwatched)
		tg.Witness = witness.New(tg.Judge.(witness.Target), tg.Snapshot.Tree, tg.Paths, witness.Options{})
		res := validate(t, tg, bug.Candidate{Tree: edit(t, tg, "num.py", "return most", "return n"), Strategy: "operator"}, nil)
		if res.Outcome != outcome.Valid {
			t.Fatalf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
		}
		witnessed.target, witnessed.bug = tg, res.Bug
	})
	if witnessed.bug == nil {
		t.Fatal("there is no bug to look at")
	}
	return witnessed.target, witnessed.bug
}

func TestABreakThatOnlyAWitnessNoticesIsABug(t *testing.T) {
	tg, b := witnessedBug(t)
	if !b.Witness || len(b.Red) != 1 || b.Red[0] != b.RedTest.Test || len(b.Hidden) != 0 || len(b.Weaken) != 0 || len(b.InSuite()) != 0 || len(b.Unrun) != 0 {
		t.Errorf("witness %v, red %v, hidden %v", b.Witness, b.Red, b.Hidden)
	}
	if !strings.Contains(b.RedTest.Code, "assert clip(") || b.RedTest.Failure.Kind != "AssertionError" {
		t.Errorf("%+v\n%s", b.RedTest.Failure, b.RedTest.Code)
	}
	for _, c := range outcome.Checks {
		if v, ok := b.Checks[c]; !ok || v != outcome.GatePassed && !strings.HasPrefix(v, "not applicable: ") {
			t.Errorf("check %s: %q", c, v)
		}
	}
	without := tg
	without.Witness = nil
	cand := bug.Candidate{Tree: edit(t, tg, "num.py", "return most", "return n")}
	wantRejected(t, validate(t, without, cand, nil), outcome.Unnoticed, outcome.CheckRed, "no test goes red")
	cand = bug.Candidate{Tree: edit(t, tg, "num.py", "max(n, 0) + 0", "max(n, 0) - 0")}
	wantRejected(t, validate(t, tg, cand, nil), outcome.Unnoticed, outcome.CheckRed, "no witness was found: no difference in")
}

func TestABugWithAWitnessIsVerifiedFromItsFolderAlone(t *testing.T) {
	tg, b := witnessedBug(t)
	tg.Witness = nil
	dir := filepath.Join(t.TempDir(), b.ID)
	if err := b.Write(dir); err != nil {
		t.Fatal(err)
	}
	back, err := bug.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	sameBug(t, b, back)
	v, err := bug.Recheck(t.Context(), tg, back)
	if err != nil || !v.Valid {
		t.Errorf("%+v, %v", v, err)
	}
	harmless := *back
	harmless.RedTest.Code = strings.Replace(b.RedTest.Code, "assert ", "assert not ", 1)
	if v, err = bug.Recheck(t.Context(), tg, &harmless); err != nil || v.Valid || v.Check != outcome.CheckBaseGreen {
		t.Errorf("a witness that is red on the base: %+v, %v", v, err)
	}
	var ce *bug.CheckError
	if err := replaceIn(filepath.Join(dir, "bug.json"), `"witness": true,`, ``); err != nil {
		t.Fatal(err)
	}
	if _, err := bug.Load(dir); !errors.As(err, &ce) || !strings.Contains(ce.Reason, "none of the suite's") {
		t.Errorf("without its mark it is loaded: %v", err)
	}
}

func TestTheScriptOfABugWithAWitnessRunsIt(t *testing.T) {
	tg, b := witnessedBug(t)
	dir := filepath.Join(t.TempDir(), b.ID)
	if err := b.Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		red  bool
	}{{"bug", true}, {"base", false}} {
		tr := tg.Snapshot.Tree
		if c.red {
			tr = edit(t, tg, "num.py", "return most", "return n")
		}
		work := filepath.Join(t.TempDir(), "work")
		if err := tr.WriteTo(work); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", filepath.Join(dir, "test_script.sh"), "-q")
		cmd.Dir = work
		cmd.Env = append(os.Environ(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1")
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if errors.As(err, &exit) != c.red || !strings.Contains(string(out), map[bool]string{true: "1 failed", false: "1 passed"}[c.red]) {
			t.Errorf("on the %s: %v\n%s", c.name, err, out)
		}
		if _, err := os.Stat(filepath.Join(work, b.RedTest.Path)); err == nil {
			t.Error("the witness was left in the tree")
		}
	}
}

func TestAFailedRepairOfABugWithAWitnessKeepsTheWitness(t *testing.T) {
	tg, parent := witnessedBug(t)
	tg.Witness = nil
	cand, err := bug.HigherOrder(tg.Snapshot.Tree, parent, repairOf(t, tg, parent, "num.py", "return n\n", "return n + 1\n"), 7)
	if err != nil {
		t.Fatal(err)
	}
	res := validate(t, tg, cand, nil)
	if res.Outcome != outcome.Valid || !res.Bug.Witness || res.Bug.Order != 2 || res.Bug.RedTest.Code != parent.RedTest.Code {
		t.Fatalf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
	}
	cand, err = bug.HigherOrder(tg.Snapshot.Tree, parent, repairOf(t, tg, parent, "num.py", "return n\n", "return most + 0\n"), 7)
	if err != nil {
		t.Fatal(err)
	}
	wantRejected(t, validate(t, tg, cand, nil), outcome.Unnoticed, outcome.CheckRed, "the witness is passed")
}

func TestTwoBreaksThatOneWitnessShowsAlikeAreDuplicates(t *testing.T) {
	tg, b := witnessedBug(t)
	known := &bug.Known{}
	known.Add(b)
	cand := bug.Candidate{Tree: edit(t, tg, "num.py", "return most", "return n * 1")}
	wantRejected(t, validate(t, tg, cand, known), outcome.Rejected, outcome.CheckDuplicate, b.ID)
}
