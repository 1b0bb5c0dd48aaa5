package curriculum

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"breakfix/internal/outcome"
	"breakfix/internal/store"
)

// play is a world in which a game's result depends on its item alone, as it
// does in a real run.
func play(i Item) Result {
	r := Result{Item: i, Outcome: outcome.Valid, BugID: fmt.Sprintf("bug%d", i.Number), Order: i.Order}
	if i.Kind == store.KindReplay {
		r.BugID = i.BugID
	}
	if i.Seed%5 == 0 {
		return Result{Item: i, Outcome: outcome.Unnoticed}
	}
	for a := range 4 {
		switch (i.Seed >> a) % 3 {
		case 0:
			r.Attempts = append(r.Attempts, Attempt{Outcome: outcome.Fixed, Patch: []byte("p"), Tree: "base"})
		case 1:
			r.Attempts = append(r.Attempts, Attempt{Outcome: outcome.Wrong, Patch: []byte("w"), Tree: fmt.Sprint(i.Seed, a%2)})
		case 2:
			r.Attempts = append(r.Attempts, Attempt{Outcome: outcome.GaveUp})
		}
	}
	return r
}

func playAll(items []Item) []Result {
	var rs []Result
	for _, i := range items {
		rs = append(rs, play(i))
	}
	return rs
}

func TestThreeOfFourGamesAreFreshAndTheFourthIsAFailedRepairWhenOneWaits(t *testing.T) {
	c := New(Config{Seed: 1})
	var kinds []string
	for range 10 {
		items := c.Next(8)
		for _, i := range items {
			kinds = append(kinds, i.Kind)
			if i.Number%4 != 0 && i.Kind != store.KindFresh {
				t.Errorf("game %d is %s, want fresh", i.Number, i.Kind)
			}
		}
		c.Observe(playAll(items))
	}
	if kinds[3] != store.KindFresh || kinds[7] != store.KindFresh {
		t.Errorf("the first round has %v, want fresh games only: nothing was known yet", kinds[:8])
	}
	for i := 11; i < len(kinds); i += 4 {
		if kinds[i] != store.KindHigherOrder {
			t.Errorf("game %d is %s, want higher_order", i+1, kinds[i])
		}
	}
}

func TestNothingButNewBreaksIsPlayedWhereThatIsAskedFor(t *testing.T) {
	c := New(Config{Seed: 1, Fresh: true})
	for range 10 {
		items := c.Next(8)
		for _, i := range items {
			if i.Kind != store.KindFresh {
				t.Errorf("game %d is %s, want fresh", i.Number, i.Kind)
			}
		}
		c.Observe(playAll(items))
	}
	if c.Waiting() == 0 {
		t.Error("no failed repair waits: nothing was passed over")
	}
}

func TestWithoutFailedRepairsEveryEighthGameReplaysABugThatIsRarelyFixed(t *testing.T) {
	c := New(Config{Seed: 1})
	items := c.Next(8)
	var rs []Result
	for _, i := range items {
		o := outcome.Fixed
		if i.Number == 3 {
			o = outcome.GaveUp
		}
		rs = append(rs, Result{Item: i, Outcome: outcome.Valid, BugID: fmt.Sprint("bug", i.Number), Order: 1,
			Attempts: []Attempt{{Outcome: o}, {Outcome: outcome.Infrastructure}}})
	}
	c.Observe(rs)
	var replayed []string
	for _, i := range c.Next(80) {
		if i.Kind == store.KindReplay {
			replayed = append(replayed, fmt.Sprint(i.Number, " ", i.BugID))
		}
	}
	want := []string{"16 bug3", "24 bug3", "32 bug3"}
	if d := cmp.Diff(want, replayed); d != "" {
		t.Error(d)
	}
}

func TestFailedRepairsAreTakenTwiceFromABugAndNoTreeTwiceAndNoneAboveTheCap(t *testing.T) {
	c := New(Config{Seed: 1, OrderCap: 2})
	wrong := func(tree string) Attempt {
		return Attempt{Outcome: outcome.Wrong, Patch: []byte(tree), Tree: tree}
	}
	result := func(bug string, order int, as ...Attempt) Result {
		return Result{Item: Item{Kind: store.KindFresh}, Outcome: outcome.Valid, BugID: bug, Order: order, Attempts: as}
	}
	c.Observe([]Result{
		result("a", 1, wrong("t1"), wrong("t1"), wrong("t2"), wrong("t3")),
		result("b", 1, wrong("t2"), wrong("t4")),
		result("c", 2, wrong("t5")),
		result("d", 1, Attempt{Outcome: outcome.OutOfSteps, Patch: []byte("t6"), Tree: "t6"}, Attempt{Outcome: outcome.OutOfSteps, Tree: "t7"},
			Attempt{Outcome: outcome.Gated, Patch: []byte("t8"), Tree: "t8"}),
		{Item: Item{Kind: store.KindFresh}, Outcome: outcome.Rejected, BugID: "", Attempts: []Attempt{wrong("t9")}},
	})
	var got []string
	for _, k := range c.state.Queue {
		got = append(got, fmt.Sprint(k.Parent, " ", string(k.Repair), " ", k.Order))
	}
	if d := cmp.Diff([]string{"a t1 2", "a t2 2", "b t4 2", "d t6 2"}, got); d != "" {
		t.Error(d)
	}
}

func TestFailedRepairsAreDrawnInProportionToTheirOrder(t *testing.T) {
	drawn := map[int]int{}
	for seed := range uint64(3000) {
		c := New(Config{Seed: seed})
		for order := 2; order <= 5; order++ {
			c.state.Queue = append(c.state.Queue, candidate{Order: order, Parent: fmt.Sprint(order)})
		}
		drawn[c.Next(4)[3].Order]++
	}
	for order := 2; order <= 5; order++ {
		share, want := float64(drawn[order])/3000, float64(order)/14
		if share < want-0.03 || share > want+0.03 {
			t.Errorf("order %d was drawn in %.3f of the games, want %.3f", order, share, want)
		}
	}
}

func TestSourcesArePlayedInTurn(t *testing.T) {
	var got []int
	for _, i := range New(Config{Seed: 9, Sources: 3}).Next(7) {
		got = append(got, i.Source)
	}
	if d := cmp.Diff([]int{0, 1, 2, 0, 1, 2, 0}, got); d != "" {
		t.Error(d)
	}
}

func TestARestoredCurriculumGoesOnAsTheOriginalWouldHave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{Seed: rapid.Uint64().Draw(t, "seed"), Sources: rapid.IntRange(1, 3).Draw(t, "sources")}
		before, round := rapid.IntRange(0, 6).Draw(t, "rounds before"), rapid.IntRange(1, 12).Draw(t, "round")
		a := New(cfg)
		for range before {
			a.Observe(playAll(a.Next(round)))
		}
		saved, err := a.State()
		if err != nil {
			t.Fatal(err)
		}
		b, err := Restore(cfg, saved)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			ia, ib := a.Next(round), b.Next(round)
			if d := cmp.Diff(ia, ib); d != "" {
				t.Fatal(d)
			}
			a.Observe(playAll(ia))
			b.Observe(playAll(ib))
		}
	})
}

func TestEveryGameHasASeedOfItsOwn(t *testing.T) {
	seen := map[uint64]bool{}
	for _, i := range New(Config{Seed: 7}).Next(1000) {
		if seen[i.Seed] {
			t.Fatalf("game %d has the seed of another game", i.Number)
		}
		seen[i.Seed] = true
	}
}

func TestAStateThatCannotBeReadOrNamesAMissingSourceIsRefused(t *testing.T) {
	if _, err := Restore(Config{}, []byte(`{"drawn":`)); err == nil || !strings.Contains(err.Error(), "start a new run") {
		t.Errorf("got %v, want an error that says what to do", err)
	}
	c := New(Config{Sources: 2})
	c.state.Queue = []candidate{{Source: 1, Order: 2}}
	saved, _ := c.State()
	if _, err := Restore(Config{Sources: 1}, saved); err == nil || !strings.Contains(err.Error(), "source 2 of 1") {
		t.Errorf("got %v, want an error that names the source", err)
	}
}

func rounds(f func(i int) float64, n int) []Round {
	var rs []Round
	for i := range n {
		rs = append(rs, Round{Last: (i + 1) * 8, Minutes: []float64{f(i) - 1, f(i), f(i) + 1}})
	}
	return rs
}

func TestARisingDifficultyIsNoPlateau(t *testing.T) {
	if e, ok := Plateau(rounds(func(i int) float64 { return float64(i) }, 20), PlateauRounds); ok {
		t.Errorf("a plateau at episode %d of a rising series", e)
	}
}

func TestNoiseAroundALevelIsAPlateauThatBeganWhereTheRiseLeftTheWindow(t *testing.T) {
	noise := []float64{0, 3, 1, 4, 2}
	f := func(i int) float64 {
		if i < 10 {
			return float64(i * 10)
		}
		return 100 + noise[i%5]
	}
	if e, ok := Plateau(rounds(f, 14), PlateauRounds); ok {
		t.Errorf("a plateau at episode %d although six of the last ten rounds rise", e)
	}
	e, ok := Plateau(rounds(f, 30), PlateauRounds)
	if !ok || e <= 10*8 || e > 20*8 {
		t.Errorf("got (%d, %v), want a plateau that began between episodes 80 and 160", e, ok)
	}
}

func TestTooFewRoundsAndRoundsWithoutABugAreNoPlateau(t *testing.T) {
	if _, ok := Plateau(rounds(func(int) float64 { return 5 }, 9), PlateauRounds); ok {
		t.Error("a plateau after 9 rounds, want 10 at least")
	}
	if _, ok := Plateau(make([]Round, 50), PlateauRounds); ok {
		t.Error("a plateau of rounds that had no bug")
	}
}
