package grade_test

import (
	"context"
	"slices"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/grade"
	"breakfix/internal/lang"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/witness"
)

func TestARepairOfABugWithAWitnessIsJudgedByTheWitness(t *testing.T) {
	b := set(t)
	ctx := context.Background()
	w := b.target.Judge.(*testrun.Workspace)
	python, err := lang.Get("python")
	if err != nil {
		t.Fatal(err)
	}
	tg := bug.TargetOf(w, python, bug.Options{})
	tg.Witness = witness.New(w, b.target.Tree, python, witness.Options{})
	const right, wrong = "return n < 2\n", "return n < 2 and n != -1\n"
	broken, err := replaced(b.target.Tree, "pocket/num.py", right, wrong)
	if err != nil {
		t.Fatal(err)
	}
	res, err := bug.Validate(ctx, tg, bug.Candidate{Tree: broken, Strategy: "operator", Order: 1, Tier: testrun.CodeSwap}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Bug == nil || !res.Bug.Witness {
		t.Fatalf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
	}
	for _, c := range []struct {
		name, code string
		want       outcome.Attempt
		free       bool
	}{
		{"the base", right, outcome.Fixed, false},
		{"another way", "return not n >= 2\n", outcome.Fixed, true},
		{"the bug itself", wrong, outcome.Wrong, false},
		{"another bug", "return n < 2 and n != -1 or n == 9\n", outcome.Wrong, true},
		{"what the suite notices", "return n < 0\n", outcome.Wrong, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			repaired, err := replaced(b.target.Tree, "pocket/num.py", right, c.code)
			if err != nil {
				t.Fatal(err)
			}
			got, err := grade.Grade(ctx, b.target, res.Bug, repaired, grade.Options{FreeForm: c.free})
			if err != nil {
				t.Fatal(err)
			}
			if got.Outcome != c.want {
				t.Errorf("it is %s: %v", got.Outcome, got.Gates)
			}
			if want := c.name == "the bug itself" || c.name == "another bug"; slices.Contains(got.Red, res.Bug.RedTest.Test) != want {
				t.Errorf("red are %v", got.Red)
			}
		})
	}
}

func TestARepairForTheSeenTestAloneFailsTheHiddenWitness(t *testing.T) {
	b := set(t)
	ctx := context.Background()
	w := b.target.Judge.(*testrun.Workspace)
	python, err := lang.Get("python")
	if err != nil {
		t.Fatal(err)
	}
	tg := bug.TargetOf(w, python, bug.Options{})
	tg.Witness = witness.New(w, b.target.Tree, python, witness.Options{})
	const right, wrong = "return n < 2\n", "return n == 5\n"
	broken, err := replaced(b.target.Tree, "pocket/num.py", right, wrong)
	if err != nil {
		t.Fatal(err)
	}
	res, err := bug.Validate(ctx, tg, bug.Candidate{Tree: broken, Strategy: "operator", Order: 1, Tier: testrun.CodeSwap}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Bug == nil || res.Bug.HiddenTest == nil {
		t.Fatalf("%s, check %s: %s: %+v", res.Outcome, res.Check, res.Reason, res.Bug)
	}
	hidden := res.Bug.HiddenTest.Test
	for _, c := range []struct {
		name, code string
		want       outcome.Attempt
		spurious   bool
	}{
		{"the base", right, outcome.Fixed, false},
		{"another way", "return not n >= 2\n", outcome.Fixed, false},
		{"for the seen test", "return n == 1\n", outcome.Wrong, true},
		{"the bug itself", wrong, outcome.Wrong, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			repaired, err := replaced(b.target.Tree, "pocket/num.py", right, c.code)
			if err != nil {
				t.Fatal(err)
			}
			got, err := grade.Grade(ctx, b.target, res.Bug, repaired, grade.Options{})
			if err != nil {
				t.Fatal(err)
			}
			bad := c.want == outcome.Wrong
			if got.Outcome != c.want || got.Spurious != c.spurious || slices.Contains(got.Hidden, hidden) != bad || (got.Results.Get(hidden) != outcome.Passed) != bad {
				t.Errorf("it is %s, spurious %v, hidden %v: %v", got.Outcome, got.Spurious, got.Hidden, got.Gates)
			}
		})
	}
}
