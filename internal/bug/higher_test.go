package bug_test

import (
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

// repairOf returns the diff from a bug's broken tree to one with an edit.
func repairOf(t *testing.T, target bug.Target, b *bug.Bug, path, old, new string) []byte {
	t.Helper()
	broken, err := tree.Apply(target.Snapshot.Tree, b.Inject)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := tree.Diff(broken, editTree(t, broken, path, old, new))
	if err != nil {
		t.Fatal(err)
	}
	return patch
}

func TestAFailedRepairMakesABugOfHigherOrder(t *testing.T) {
	target, parent := sharedBug(t)
	judge := func(repair []byte) bug.Result {
		t.Helper()
		cand, err := bug.HigherOrder(target.Snapshot.Tree, parent, repair, 7)
		if err != nil {
			t.Fatal(err)
		}
		return validate(t, target, cand, nil)
	}
	res := judge(repairOf(t, target, parent, "num.py", "n > 3", "n > 4"))
	if res.Outcome != outcome.Valid {
		t.Fatalf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
	}
	b := res.Bug
	if b.Order != 2 || len(b.Parents) != 1 || b.Parents[0] != parent.ID || b.Weight != 0.4 || b.RedTest.Code != parent.RedTest.Code {
		t.Errorf("order %d, parents %v, weight %v", b.Order, b.Parents, b.Weight)
	}
	if b.Difficulty.Minutes <= parent.Difficulty.Minutes {
		t.Errorf("difficulty %v is not above its parent's %v", b.Difficulty.Minutes, parent.Difficulty.Minutes)
	}
	wantRejected(t, judge(repairOf(t, target, parent, "num.py", "n > 3", "n > 3  # right")), outcome.Rejected, outcome.CheckHigher, "changed no code")
	wantRejected(t, judge(repairOf(t, target, parent, "num.py", "n > 3\n", "n >= 3\n\n\n")), outcome.Unnoticed, outcome.CheckRed, "no test")
	other := judge(repairOf(t, target, parent, "num.py", "n > 3\n\n\ndef small(n):\n    return n < 2", "n > 2\n\n\ndef small(n):\n    return n < 1"))
	wantRejected(t, other, outcome.Rejected, outcome.CheckHigher, "no test of the parent's red set")
	if _, err := bug.HigherOrder(target.Snapshot.Tree, parent, []byte("--- a/num.py\n+++ b/num.py\n@@ -1,1 +1,1 @@\n-nothing\n+something\n"), 7); err == nil {
		t.Error("a repair that does not apply became a candidate")
	}
}
