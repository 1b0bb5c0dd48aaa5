// Package check is a mutation tester: it makes every mutation of a target's
// code, one at a time, and tells what the suite notices and what it misses.
//
// Run drives it and needs no more of a workspace than Suite; Summarise turns
// what it found into the numbers that a person or a program reads. Choosing
// what to judge (Touching, Sample, Accepted) is pure and happens before.
package check

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
	"breakfix/internal/witness"
)

// Suite is what judging needs of a workspace.
type Suite interface {
	testrun.Runner
	// Affected returns the tests that passed on the base and whose verdict can
	// differ on t; none means that no test runs what changed.
	Affected(t *tree.Tree) ([]string, error)
}

// Witness finds a test that notices a broken tree, or says why it found none.
type Witness interface {
	Find(ctx context.Context, broken *tree.Tree) (*witness.Test, string, error)
}

// Config says what is judged and how.
type Config struct {
	Suite     Suite
	Tree      *tree.Tree        // the snapshot's
	Base      outcome.Results   // of the baseline
	Order     []string          // the tests, for their numbers in results: Plan.Tests
	Mutations []mutate.Mutation // judged in this order
	// Workers is how many mutations are judged at the same time, at least 1. Those
	// of which a test waits, for a lock say, are judged again beside them.
	Workers int
	Limit   time.Duration // no mutation is begun after this time; 0 means no limit
	// Look is how long a test may take before it is judged alone under its whole
	// deadline, on which a timeout then rests; nil: the whole deadline at once.
	Look    func(test string) time.Duration
	Confirm bool // what is missed is judged again by the whole suite in fresh processes
	// Kept are results of an earlier check that hold still, by mutation: they are
	// not judged again. May be nil.
	Kept map[string]Result
	// Spared reports that a test is known to stay green on a mutation, so that it
	// need not be run. May be nil.
	Spared func(m mutate.Mutation, test string) bool
	// Store is handed each judged result with its log as soon as it is there, by
	// several goroutines; its error ends the check. May be nil.
	Store func(r Result, log []byte) error
	// Witness looks for a test that notices what is missed; nil: nobody does.
	Witness  Witness
	Progress func(Progress) // told after each mutation, by one goroutine at a time; may be nil
}

// Result is what came of one mutation. It has an outcome or an Err, never both.
type Result struct {
	Mutation mutate.Mutation `json:"mutation"`
	Outcome  outcome.Break   `json:"outcome"`
	Reason   string          `json:"reason,omitempty"`   // why it does not load, timed out or was set aside
	Test     string          `json:"test,omitempty"`     // the test that noticed it
	Failure  string          `json:"failure,omitempty"`  // how that test failed, on one line
	Tests    int             `json:"tests"`              // how many tests run it
	Covering TestSet         `json:"covering,omitempty"` // those tests
	// Completed counts the tests that came to a verdict, Spared those of which an
	// earlier check knew it.
	Completed int           `json:"completed"`
	Spared    int           `json:"spared,omitempty"`
	Took      time.Duration `json:"took"` // wall time, in nanoseconds
	// Witness is a test that notices a missed one; where none was found Unfound
	// says why. Both are empty where nobody looked.
	Witness *witness.Test `json:"witness,omitempty"`
	Unfound string        `json:"no_witness,omitempty"`
	// Confirmed tells that a missed mutation was judged again; Changed that the
	// outcome above is the second one and was "missed" before.
	Confirmed bool  `json:"confirmed,omitempty"`
	Changed   bool  `json:"changed,omitempty"`
	Err       error `json:"-"` // a fault of our own, twice; no verdict
}

// Progress is what is known while it goes on.
type Progress struct {
	Done, Of int
	Elapsed  time.Duration
	Left     time.Duration // estimate; 0 when unknown
	Counts   Counts
	Faults   int
}

// Ending says why judging ended.
type Ending string

// The ways to end.
const (
	Done        Ending = "done"
	TimeIsUp    Ending = "time is up"
	Interrupted Ending = "interrupted"
	Unfinished  Ending = "not finished" // it goes on at the moment, or was killed
)

// FaultsError ends a check whose own machinery fails too often to be believed.
type FaultsError struct {
	Faults, Of int
	Last       error
}

// Error says how many and why.
func (e *FaultsError) Error() string {
	return fmt.Sprintf("%d of %d mutations could not be judged, the last one because: %v", e.Faults, e.Of, e.Last)
}

// Unwrap returns the last fault.
func (e *FaultsError) Unwrap() error { return e.Last }

// A check stops when more than a fifth of what was tried, and at least
// faultMinimum, were faults of our own.
const (
	faultMinimum = 10
	faultShare   = 0.2
)

// Run judges the mutations. Once drain is done or the limit has passed it
// finishes what is being judged and returns that; when ctx is done it stops at
// once, with an error. The results are in the order of the mutations.
func Run(ctx, drain context.Context, c Config) ([]Result, Ending, error) {
	var (
		began   = time.Now()
		results = make([]*Result, len(c.Mutations))
		j       = newJudge(c)
		mu      sync.Mutex
		now     = Progress{Of: len(c.Mutations)}
		kept    int   // of what is done, judged by an earlier check
		last    error // the last fault
	)
	ending := func() Ending {
		switch {
		case drain.Err() != nil:
			return Interrupted
		case c.Limit > 0 && time.Since(began) >= c.Limit:
			return TimeIsUp
		}
		return Done
	}
	record := func(i int, r Result, log []byte) error {
		if c.Store != nil && r.Err == nil && log != nil {
			if err := c.Store(r, log); err != nil {
				return fmt.Errorf("store the result of mutation %s: %w", r.Mutation.ID, err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		results[i] = &r
		now.Done++
		if r.Err != nil {
			now.Faults++
			last = r.Err
		} else {
			now.Counts.Add(r.Outcome)
		}
		now.Elapsed = time.Since(began)
		if judged := now.Done - kept; judged > 0 {
			now.Left = now.Elapsed / time.Duration(judged) * time.Duration(now.Of-now.Done)
		}
		if c.Limit > 0 {
			now.Left = max(0, min(now.Left, c.Limit-now.Elapsed))
		}
		if c.Progress != nil {
			c.Progress(now)
		}
		if now.Faults >= faultMinimum && float64(now.Faults) > faultShare*float64(now.Done) {
			return &FaultsError{now.Faults, now.Done, last}
		}
		return nil
	}
	g, inner := errgroup.WithContext(ctx)
	for i, m := range c.Mutations {
		if r, ok := c.Kept[m.ID]; ok {
			kept++
			if err := record(i, r, nil); err != nil {
				return nil, "", err
			}
		}
	}
	for i, m := range c.Mutations {
		if _, ok := c.Kept[m.ID]; ok {
			continue
		}
		if j.turns.work.take(inner) != nil {
			break
		}
		if ending() != Done {
			j.turns.work.give()
			break
		}
		g.Go(func() error {
			defer j.turns.work.give()
			r, log, err := j.judge(inner, m)
			if err != nil {
				return err
			}
			return record(i, r, log)
		})
	}
	err := g.Wait()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	var judged []Result
	for _, r := range results {
		if r != nil {
			judged = append(judged, *r)
		}
	}
	end := Done
	if len(judged) < len(c.Mutations) {
		end = ending()
	}
	if err == nil && len(judged) > 0 && now.Faults == len(judged) {
		err = &FaultsError{now.Faults, now.Done, last}
	}
	return slices.Clip(judged), end, err
}

// One judges a single mutation as Run would, and returns its log; neither Kept
// nor Store is asked.
func (c Config) One(ctx context.Context, m mutate.Mutation) (Result, []byte, error) {
	j := newJudge(c)
	if err := j.turns.work.take(ctx); err != nil {
		return Result{}, nil, err
	}
	r, log, err := j.judge(ctx, m)
	if err == nil {
		err = r.Err
	}
	return r, log, err
}
