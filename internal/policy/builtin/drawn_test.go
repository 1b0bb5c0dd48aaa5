package builtin

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/mutate"
	"breakfix/internal/policy"
	"breakfix/internal/tree"
)

func broken(t *testing.T, s policy.Trajectory) broke {
	t.Helper()
	var did broke
	if err := json.Unmarshal(s.Data, &did); err != nil {
		t.Fatal(err)
	}
	return did
}

// TestWhatARepairWouldBeIsForeseen: the move that is named makes the code whole again, and
// where none is named none does.
func TestWhatARepairWouldBeIsForeseen(t *testing.T) {
	sites, all := foreseen(t, stackBank(t), nil)
	known := 0
	for i, d := range all {
		if d.Mutation != sites[i].ID {
			t.Fatalf("site %d is %s, said to be %s", i, sites[i].ID, d.Mutation)
		}
		src, err := tree.ApplyEdits([]byte(stack), sites[i].Edits)
		if err != nil {
			t.Fatal(err)
		}
		moves := Candidates(placed(wholeView(sites[i].Path, src), []byte(stack)))
		makes := func(c Candidate) bool {
			text, err := tree.ApplyEdits(src, c.Edits)
			return err == nil && same(text, []byte(stack))
		}
		if d.Place == 0 {
			if slices.ContainsFunc(moves, makes) {
				t.Errorf("%s %s: a move repairs it, and none was foreseen", sites[i].Operator, sites[i].Variant)
			}
			continue
		}
		known++
		if c := moves[d.Place-1]; !makes(c) || c.Kind != d.Kind {
			t.Errorf("%s %s: move %d, %s, is no repair", sites[i].Operator, sites[i].Variant, d.Place, c.What())
		}
	}
	if known == 0 || known == len(all) {
		t.Errorf("%d of %d sites have a repair: nothing to tell apart", known, len(all))
	}
}

// TestARepairIsForeseenWhereTheFixerHasIt: in the list that an attempt of the same weights goes through.
func TestARepairIsForeseenWhereTheFixerHasIt(t *testing.T) {
	w, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	sites, byHand := foreseen(t, stackBank(t), nil)
	_, all := foreseen(t, stackBank(t), w)
	elsewhere := 0
	for i, d := range all {
		if (d.Place > 0) != (byHand[i].Place > 0) {
			t.Fatalf("%s %s: place %d by weights, %d by the prior that was set by hand", sites[i].Operator, sites[i].Variant, d.Place, byHand[i].Place)
		}
		if d.Place == 0 {
			continue
		}
		src, err := tree.ApplyEdits([]byte(stack), sites[i].Edits)
		if err != nil {
			t.Fatal(err)
		}
		v := placed(wholeView(sites[i].Path, src), []byte(stack))
		if at := RankOf(v, []byte(stack), w); at != d.Place {
			t.Errorf("%s %s: foreseen at %d, in the fixer's list at %d", sites[i].Operator, sites[i].Variant, d.Place, at)
		}
		if got := ordered(v, w)[d.Place-1].LogPrior; math.Abs(got-d.LogPrior) > 0.001 {
			t.Errorf("%s %s: foreseen with a log share of %.3f, in the fixer's list %.3f", sites[i].Operator, sites[i].Variant, d.LogPrior, got)
		}
		if d.Place != byHand[i].Place {
			elsewhere++
		}
	}
	if elsewhere == 0 {
		t.Error("the weights have every repair where the prior that was set by hand has it: nothing was tested")
	}
}

// TestBreaksWithARepairInReachAreChosenMoreOften, where those are what is paid for. What is
// drawn changes as well, so the choice is looked at alone, as if all sites had been drawn.
func TestBreaksWithARepairInReachAreChosenMoreOften(t *testing.T) {
	bank := stackBank(t)
	p := With(Scratch(1))
	sites, all := foreseen(t, bank, nil)
	chance := func() (sum float64) {
		for i, l := range p.breaks.among(looksOf(all)) {
			if all[i].Place > 0 {
				sum += math.Exp(l)
			}
		}
		return sum
	}
	before := chance()
	seed := uint64(0)
	for range 10 {
		var batch []policy.Scored
		for range 8 {
			seed++
			a, err := arena.NewBreak(bank, arena.BreakOptions{Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			played, err := p.Break(context.Background(), a)
			if err != nil {
				t.Fatal(err)
			}
			b := broken(t, played)
			_, ms, err := a.Result()
			if err != nil || ms[0].ID != b.Mutation {
				t.Fatalf("%s was broken and %s recorded, %v", ms[0].ID, b.Mutation, err)
			}
			s := policy.Scored{Role: arena.Breaker, Trajectory: played, Break: a, Group: "source 0", Won: true}
			if at := b.chosen(); at >= 0 && b.Drawn[at].Place > 0 {
				s.Reward = 0.2
			}
			batch = append(batch, s)
		}
		for _, valid := range []bool{false, true} { // what is invalid says nothing of repairs
			was := chance()
			for i := range batch {
				if batch[i].Won = valid; !valid {
					batch[i].Advantage = -1
				}
			}
			if _, err := p.Learn(context.Background(), batch); err != nil {
				t.Fatal(err)
			}
			if now := chance(); !valid && now != was {
				t.Errorf("after breaks that are invalid repairs in reach have a chance of %.3f, before %.3f", now, was)
			}
		}
	}
	if after := chance(); 1-after > (1-before)/3 {
		t.Errorf("of %d sites those with a repair in reach have a chance of %.2f after learning, %.2f before", len(sites), after, before)
	}
}

// TestABreakerThatLearnsNothingDrawsOneSite: what it would ask of others costs time.
func TestABreakerThatLearnsNothingDrawsOneSite(t *testing.T) {
	bank := stackBank(t)
	for _, p := range []*Policy{New(), Uniform(1)} {
		a, err := arena.NewBreak(bank, arena.BreakOptions{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		played, err := p.Break(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		if b := broken(t, played); len(b.Drawn) > 0 || b.Mutation == "" {
			t.Errorf("%s drew %d sites beside %q", p.Version(), len(b.Drawn), b.Mutation)
		}
	}
}

// foreseen gives all sites with what their repairs would be.
func foreseen(t *testing.T, bank *arena.Bank, w *Weights) ([]mutate.Mutation, []drawn) {
	t.Helper()
	sites, err := bank.Sites()
	if err != nil {
		t.Fatal(err)
	}
	a, err := arena.NewBreak(bank, arena.BreakOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	at := make([]int, len(sites))
	for i := range at {
		at[i] = i
	}
	all, err := foresee(context.Background(), w, sites, at, a)
	if err != nil {
		t.Fatal(err)
	}
	return sites, all
}

func stackBank(t *testing.T) *arena.Bank {
	t.Helper()
	base, err := tree.FromFiles(map[string]*tree.File{"pkg/stack.py": tree.Text(stack)})
	if err != nil {
		t.Fatal(err)
	}
	return arena.NewBank(base, nil, nil)
}
