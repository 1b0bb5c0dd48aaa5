package builtin

import (
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

func TestWhatAStepSaysMovesThePlace(t *testing.T) {
	was := testrun.Failure{Kind: "AssertionError", Message: "assert 3 == 4", TestLine: 2}
	queue := func() []option {
		at := func(start, line int, score float64) option {
			return option{Candidate: Candidate{Line: line, start: start, end: start + 1}, score: score}
		}
		return []option{at(0, 1, -1.0), at(0, 1, -1.1), at(9, 2, -1.3), at(20, 3, -9)}
	}
	next := func(obs arena.Observation, further bool) option {
		st := &stand{failure: was, verdict: outcome.Failed, queue: queue()}
		o := st.take()
		if o.start != 0 || o.score != -1.0 || len(st.queue) != 3 {
			t.Fatalf("the first is not the likeliest: %+v of %d left", o, len(st.queue))
		}
		st.beliefs.hear(&o.Candidate, st, obs, further)
		return st.take()
	}
	same := arena.Observation{Verdict: outcome.Failed, Failure: was}
	if o := next(same, false); o.start != 9 {
		t.Errorf("an edit that leaves the failure as it was is followed by another of its site: %+v", o)
	}
	other := same
	other.Failure.Message = "assert 5 == 4"
	for _, further := range []bool{false, true} {
		if o := next(other, further); o.start != 0 {
			t.Errorf("an edit that changes the failure (further: %v) sends the search elsewhere: %+v", further, o)
		}
	}
	if o := next(arena.Observation{Verdict: outcome.TimedOut}, false); o.start != 0 {
		t.Errorf("a hang says something of the place: %+v", o)
	}
	var b beliefs
	c := Candidate{Line: 1, end: 1}
	for range 50 {
		b.hear(&c, &stand{failure: was}, same, false)
	}
	if got := b.of(&c); got != leastBelief {
		t.Errorf("beliefs sink to %v, below %v", got, leastBelief)
	}
}

func TestTakeLosesNone(t *testing.T) {
	st := &stand{}
	for i := range 40 {
		st.queue = append(st.queue, option{Candidate: Candidate{Line: i % 3, start: i % 5}, score: -float64(i) / 10})
	}
	seen := map[float64]bool{}
	for i := range 40 {
		o := st.take()
		if seen[o.score] {
			t.Fatalf("%v comes twice", o.score)
		}
		seen[o.score] = true
		st.beliefs.hear(&o.Candidate, st, arena.Observation{Verdict: outcome.Failed}, i%7 == 0)
	}
	if len(st.queue) != 0 {
		t.Fatalf("%d are left", len(st.queue))
	}
}
