package selfplay

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/faults"
	"breakfix/internal/outcome"
	"breakfix/internal/store"
)

func TestEachAttemptHasRandomnessOfItsOwn(t *testing.T) {
	seen := map[uint64]bool{}
	for seed := range uint64(50) {
		for attempt := 1; attempt <= 8; attempt++ {
			s := attemptSeed(seed, attempt)
			if seen[s] {
				t.Fatalf("seed %d, attempt %d repeats another's", seed, attempt)
			}
			seen[s] = true
			if s != attemptSeed(seed, attempt) {
				t.Fatal("the same attempt has two seeds")
			}
		}
	}
}

func TestTheStatusCountsBreaksAndTheLastFiftyAttemptsByOrder(t *testing.T) {
	ta := newTally(100)
	attempts := func(n int, o outcome.Attempt) []store.Attempt {
		as := make([]store.Attempt, n)
		for i := range as {
			as[i].Outcome = o
		}
		return as
	}
	ta.add(store.Episode{Kind: store.KindFresh, Break: store.Break{Outcome: outcome.Unnoticed, Order: 1}})
	ta.add(store.Episode{Kind: store.KindFresh, Break: store.Break{Outcome: outcome.Valid, Order: 1}, Attempts: attempts(30, outcome.Wrong)})
	ta.add(store.Episode{Kind: store.KindHigherOrder, Break: store.Break{Outcome: outcome.Valid, Order: 2}, Attempts: append(attempts(10, outcome.Fixed), attempts(5, outcome.Infrastructure)...)})
	ta.add(store.Episode{Kind: store.KindReplay, Break: store.Break{Outcome: outcome.Valid, Order: 1}, Attempts: attempts(20, outcome.Fixed)})
	if d := cmp.Diff(map[outcome.Break]int{outcome.Unnoticed: 1, outcome.Valid: 2}, ta.now.Breaks); d != "" {
		t.Errorf("a replay is no break:\n%s", d)
	}
	if d := cmp.Diff(map[int]Rate{1: {Solved: 20, Attempts: 40}, 2: {Solved: 10, Attempts: 10}}, ta.now.Recent); d != "" {
		t.Errorf("the last %d attempts, without faults:\n%s", recentWindow, d)
	}
}

func TestAPanicEndsOnePieceOfWorkAndNotTheRun(t *testing.T) {
	g := &Game{}
	calls := 0
	err := g.retry(context.Background(), func() error {
		calls++
		var none []int
		_ = none[calls]
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "index out of range") || calls != 1+faults.Retries {
		t.Fatalf("after %d calls: %v", calls, err)
	}
}
