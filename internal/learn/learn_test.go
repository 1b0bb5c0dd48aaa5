package learn

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/outcome"
	"breakfix/internal/store"
)

func TestAnAdvantageIsWhatARewardIsAboveTheMeanOfTheOthers(t *testing.T) {
	got, varied := Relative([]float64{1, 0, 0, 1, 0})
	if d := cmp.Diff([]float64{0.75, -0.5, -0.5, 0.75, -0.5}, got); d != "" || !varied {
		t.Error(d)
	}
	for _, flat := range [][]float64{nil, {3}, {-1, -1, -1}} {
		if got, varied := Relative(flat); varied || len(got) != len(flat) || len(got) > 0 && got[0] != 0 {
			t.Errorf("of %v: %v, %v; want zeros", flat, got, varied)
		}
	}
}

// TestAnAdvantageByRankDoesNotKnowHowMuchMoreARewardIs, but is as even as it can be.
func TestAnAdvantageByRankDoesNotKnowHowMuchMoreARewardIs(t *testing.T) {
	want := []float64{-1, 0.25, 1, 0.25, -0.5}
	for _, rewards := range [][]float64{{-1, 0, 0.2, 0, -0.9}, {1, 50, 51, 50, 2}} {
		got, varied := Ranked(rewards)
		if d := cmp.Diff(want, got); d != "" || !varied {
			t.Errorf("of %v:\n%s", rewards, d)
		}
	}
	for _, flat := range [][]float64{nil, {3}, {-1, -1, -1}} {
		if got, varied := Ranked(flat); varied || len(got) != len(flat) || len(got) > 0 && got[0] != 0 {
			t.Errorf("of %v: %v, %v; want zeros", flat, got, varied)
		}
	}
}

func attempts(os ...outcome.Attempt) []store.Attempt {
	as := make([]store.Attempt, len(os))
	for i, o := range os {
		as[i] = store.Attempt{Number: i + 1, Outcome: o}
	}
	return as
}

func game(n, source int, b outcome.Break, as ...outcome.Attempt) store.Episode {
	return store.Episode{Number: n, Source: source, Kind: store.KindFresh, Schema: "shared", Break: store.Break{Outcome: b, Weight: 1, Order: 1}, Attempts: attempts(as...)}
}

func TestRolesAreComparedApartAndWhatWasLostToAFaultIsNotCompared(t *testing.T) {
	games := []store.Episode{
		game(1, 0, outcome.Valid, outcome.Fixed, outcome.Wrong, outcome.Infrastructure, outcome.GaveUp),
		game(2, 0, outcome.Unnoticed),
		game(3, 1, outcome.Valid, outcome.Fixed, outcome.Fixed),
		game(4, 0, outcome.Valid, outcome.Infrastructure),
	}
	replayed := game(5, 0, outcome.Valid, outcome.Wrong, outcome.Fixed)
	replayed.Kind = store.KindReplay
	games = append(games, replayed)

	fixes, n, err := Fixes(games)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Counts{Groups: 3, Flat: 1, Masked: 2}, n); d != "" {
		t.Errorf("counts of the fixer:\n%s", d)
	}
	var got []float64
	for _, f := range fixes {
		got = append(got, f.Advantage)
	}
	if d := cmp.Diff([]float64{1, -0.5, -0.5, 0, 0, -1, 1}, got); d != "" {
		t.Errorf("advantages of the fixer:\n%s", d)
	}
	breaks, n, err := Breaks(games)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Counts{Groups: 2, Flat: 1, Masked: 1}, n); d != "" {
		t.Errorf("counts of the breaker:\n%s", d)
	}
	// Source 0: 1 for a bug that some fixed, -1 for what nobody noticed; source 1 has one break alone.
	if len(breaks) != 3 || breaks[0].Advantage != 1 || breaks[1].Advantage != -1 || breaks[2].Advantage != 0 {
		t.Errorf("breaks are %+v", breaks)
	}
	// How far a call is from being one is graded: the warm-up is paid by how much.
	games = []store.Episode{game(1, 0, outcome.Rejected), game(2, 0, outcome.Rejected)}
	for i, form := range []outcome.Form{outcome.FormWord, outcome.FormNone} {
		games[i].Schema, games[i].Break.Checks = "form", map[outcome.Check]string{outcome.CheckForm: string(form)}
	}
	breaks, _, err = Breaks(games)
	if err != nil {
		t.Fatal(err)
	}
	if apart := breaks[0].Reward - breaks[1].Reward; apart == 0 || breaks[0].Advantage != apart {
		t.Errorf("graded breaks are %+v", breaks)
	}
}

func TestAGameIsReplayedSeldomAndOnlyForNewOnes(t *testing.T) {
	var r Replay
	uses := map[int]int{}
	replayed := 0
	for batch := range 60 {
		if batch < 20 {
			r.Put(batch*2+1, batch*2+2)
			uses[batch*2+1], uses[batch*2+2] = 1, 1
		}
		drawn := r.Draw(uint64(batch))
		replayed += len(drawn)
		if limit := int(PerNew * float64(len(uses))); replayed > limit {
			t.Fatalf("%d games are replayed for %d new ones, want at most %d", replayed, len(uses), limit)
		}
		for i, row := range drawn {
			if row.Uses != uses[row.Episode] {
				t.Errorf("game %d comes with %d uses after %d", row.Episode, row.Uses, uses[row.Episode])
			}
			if i > 0 && drawn[i-1].Episode >= row.Episode {
				t.Error("games are out of order, or one is drawn twice")
			}
			uses[row.Episode]++
		}
	}
	total := 0
	for e, n := range uses {
		total += n
		if n > ReuseMost {
			t.Errorf("game %d was in %d batches", e, n)
		}
	}
	if total < 100 || float64(total) > 40*(1+PerNew) {
		t.Errorf("40 games were used %d times", total)
	}
}

func TestTheGateRefusesWhatMayBeWorseAndTakesWhatIsNot(t *testing.T) {
	was := make([]float64, 32)
	better, worse, alike := make([]float64, 32), make([]float64, 32), make([]float64, 32)
	for i := range was {
		was[i] = float64(i%3) / 2
		alike[i], better[i], worse[i] = was[i], min(1, was[i]+0.3*float64(i%2)), max(0, was[i]-0.3*float64(i%2))
	}
	for _, c := range []struct {
		name string
		now  []float64
		want bool
	}{{"better", better, true}, {"alike", alike, true}, {"worse", worse, false}} {
		d := Judge(c.now, was)
		if d.Accepted != c.want || d.Low > d.Mean || d.Bugs != 32 {
			t.Errorf("of what is %s: %+v", c.name, d)
		}
		if d != Judge(c.now, was) {
			t.Error("the same scores are judged in two ways")
		}
	}
	if d := Judge(better[:7], was[:7]); d.Accepted || !strings.Contains(d.String(), "7 bugs") {
		t.Errorf("of too few bugs: %+v, %s", d, d)
	}
}

func TestAScoreFallsWithTheStepThatSolves(t *testing.T) {
	last := 1.1
	for k := 1; k <= 16; k++ {
		s := Score(k, 16)
		if s >= last || s <= 0 {
			t.Errorf("step %d scores %v after %v", k, s, last)
		}
		last = s
	}
	if Score(1, 16) != 1 || math.Abs(last-0.2) > 1e-9 || Score(0, 16) != 0 || Score(17, 16) != 0 {
		t.Errorf("the ends are %v, %v, %v", Score(1, 16), last, Score(0, 16))
	}
}

func TestTheLeagueHoldsVersionsOfSeveralAges(t *testing.T) {
	if d := cmp.Diff([]int{12, 11, 10, 8, 4, 0}, League([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{3}, League([]int{3})); d != "" {
		t.Error(d)
	}
	if len(League(nil)) != 0 {
		t.Error("nobody is in a league of nobody")
	}
}

func TestABatchIsToppedUpForGroupsThatAllEarnedTheSame(t *testing.T) {
	for _, c := range []struct {
		asked, varied, games int
		want                 bool
	}{
		{5, 5, 8, false}, {5, 4, 8, true}, {5, 0, 8, true}, {0, 0, 8, false}, // no attempts at all: nothing to make up for
		{5, 4, 15, true}, {5, 4, 16, false}, {5, 0, 24, false}, {5, 6, 16, false},
	} {
		if got := Short(c.asked, c.varied, c.games, 8); got != c.want {
			t.Errorf("%d groups asked for, %d varied, %d games of 8: %v", c.asked, c.varied, c.games, got)
		}
	}
}
