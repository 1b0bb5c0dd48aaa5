package check

import (
	"context"
	"testing"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// With one worker: the repeat of a test that waits ends only once another
// mutation is being judged.
func TestWhatWaitsStandsAside(t *testing.T) {
	tr := treeOf(t, map[string]string{"m.py": "def f(a, b):\n    if a < b:\n        return a + b\n    return a - b\n"})
	ms := mutationsOf(t, tr)[:2]
	other := make(chan struct{})
	s := &script{affected: three}
	s.run = func(n int, req testrun.Request) (testrun.Report, error) {
		rep := says(req, nil)
		switch {
		case n == 0:
			rep, rep.Waited = says(req, outcome.Results{"b": outcome.TimedOut}), true
		case req.Tier == testrun.FreshProcess:
			select {
			case <-other:
			case <-time.After(10 * time.Second):
				t.Error("nothing else was judged while a test waited")
			}
			rep = says(req, outcome.Results{"b": outcome.TimedOut})
		default:
			close(other)
		}
		return rep, nil
	}
	results, ending, err := Run(context.Background(), context.Background(), Config{Suite: s, Tree: tr, Base: base, Order: three, Mutations: ms, Workers: 1})
	if err != nil || ending != Done || len(results) != 2 {
		t.Fatalf("%d results, %s, %v", len(results), ending, err)
	}
	if a, b := results[0].Outcome, results[1].Outcome; a != outcome.TimedOutBreak || b != outcome.Unnoticed {
		t.Errorf("outcomes are %s and %s", a, b)
	}
}

func TestAsideEndsWithItsContext(t *testing.T) {
	turns := newTurns(1)
	ctx, cancel := context.WithCancel(context.Background())
	for range cap(turns.waiting) {
		turns.waiting.take(ctx)
	}
	turns.work.take(ctx)
	cancel()
	if err := turns.aside(ctx, func() error { t.Error("it ran"); return nil }); err == nil {
		t.Error("no error")
	}
	turns.work.give() // it has its place again; else this blocks
}
