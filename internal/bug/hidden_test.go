package bug_test

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/outcome"
	"breakfix/internal/witness"
)

// lonely is a suite of which one test looks at clip and two at half.
var lonely = map[string]string{
	"num.py": "def clip(n, most=9):\n    if n > most:\n        return most\n    return max(n, 0)\n\n\ndef half(n):\n    return n // 2\n",
	"test_num.py": "from num import clip, half\n\n\ndef test_clip():\n    assert clip(12) == 9\n\n\n" +
		"def test_even():\n    assert half(4) == 2\n\n\ndef test_odd():\n    assert half(5) == 2\n",
}

var lonelies struct {
	sync.Once
	target bug.Target
	bug    *bug.Bug
}

// lonelyBug is a bug that one test notices, with a hidden test of its own.
func lonelyBug(t *testing.T) (bug.Target, *bug.Bug) {
	t.Helper()
	lonelies.Do(func() {
		tg := bugtest.Prepare(t, lonely)
		tg.Witness = witness.New(tg.Judge.(witness.Target), tg.Snapshot.Tree, tg.Paths, witness.Options{Calls: 100})
		res := validate(t, tg, bug.Candidate{Tree: edit(t, tg, "num.py", "return most", "return n"), Strategy: "operator"}, nil)
		if res.Outcome != outcome.Valid {
			t.Fatalf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
		}
		lonelies.target, lonelies.bug = tg, res.Bug
	})
	if lonelies.bug == nil {
		t.Fatal("there is no bug to look at")
	}
	return lonelies.target, lonelies.bug
}

func TestWhereNoRedTestCanBeHeldBackAWitnessIs(t *testing.T) {
	tg, b := lonelyBug(t)
	h := b.HiddenTest
	if h == nil || b.Witness || len(b.Red) != 1 || len(b.Hidden) != 1 || b.Hidden[0] != h.Test {
		t.Fatalf("witness %v, red %v, hidden %v, %+v", b.Witness, b.Red, b.Hidden, h)
	}
	if !strings.Contains(h.Code, "clip(") || strings.Contains(h.Code, "clip(12)") {
		t.Errorf("it makes no other call than the test that is seen:\n%s\n%s", b.RedTest.Code, h.Code)
	}
	res := validate(t, tg, bug.Candidate{Tree: edit(t, tg, "num.py", "n // 2", "n // 3"), Strategy: "operator"}, nil)
	if res.Outcome != outcome.Valid || res.Bug.HiddenTest != nil || len(res.Bug.Hidden) != 1 || len(res.Bug.Red) != 2 {
		t.Errorf("of two red tests one is held back: %s, %s, %+v", res.Outcome, res.Reason, res.Bug)
	}
}

func TestAHiddenWitnessIsVerifiedFromTheFolderAlone(t *testing.T) {
	tg, b := lonelyBug(t)
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
	if v, err := bug.Recheck(t.Context(), tg, back); err != nil || !v.Valid {
		t.Errorf("%+v, %v", v, err)
	}
	other, h := *back, *back.HiddenTest
	h.Code, other.HiddenTest = strings.Replace(h.Code, "assert ", "assert not ", 1), &h
	if v, err := bug.Recheck(t.Context(), tg, &other); err != nil || v.Valid || v.Check != outcome.CheckMinimal || v.Reason != "the hidden test is passed on the bug" {
		t.Errorf("a hidden test that says nothing of the bug: %+v, %v", v, err)
	}
	var ce *bug.CheckError
	if err := replaceIn(filepath.Join(dir, "bug.json"), `"path": "`+b.HiddenTest.Path, `"path": "../`+b.HiddenTest.Path); err != nil {
		t.Fatal(err)
	}
	if _, err := bug.Load(dir); !errors.As(err, &ce) || !strings.Contains(ce.Reason, "no place for the hidden test") {
		t.Errorf("a hidden test that lies outside of the tree is loaded: %v", err)
	}
}
