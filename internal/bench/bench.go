// Package bench measures how fast the execution core judges mutants, side by
// side with what it replaces and with the same machine under both, and whether
// it says the same.
//
// Run drives it and returns a Summary; planning, arithmetic and comparing are
// pure.
package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Suite is what is measured: a workspace.
type Suite interface {
	testrun.Runner
	// Affected returns the tests that passed on the base and whose verdict can differ on t.
	Affected(t *tree.Tree) ([]string, error)
	// InBodies reports whether t differs from the base in bodies of functions alone.
	InBodies(t *tree.Tree) (bool, error)
	// Kindle makes sure that n warm processes of each tier serve.
	Kindle(ctx context.Context, n int) error
	// Empty returns how long a child that runs no test takes; ok is false where there are none.
	Empty(ctx context.Context) (took time.Duration, ok bool, err error)
	// Heat tells what the warm processes have used.
	Heat() testrun.Heat
}

// Config says what is measured.
type Config struct {
	Suite    Suite
	Base     outcome.Results  // of the baseline
	Mutants  []testrun.Mutant // judged in this order
	Truth    int              // how many of them the slow ways judge, at least 1
	Repeat   int              // how often the core judges each, at least 1
	Workers  int              // mutants judged at the same time, at least 1
	Progress func(Progress)   // told after each mutant, by one goroutine at a time; may be nil
}

// Progress is what is known while it goes on.
type Progress struct {
	Way      Way
	Done, Of int // mutants judged, over all ways
	Elapsed  time.Duration
	Left     time.Duration // estimate; 0 when unknown
}

// empties is how many children without tests each block measures.
const empties = 10

// mutant is one with what is known before it is judged.
type mutant struct {
	testrun.Mutant
	tests []string // those that it can affect
	body  bool     // it is in bodies of functions alone
}

// shot is one mutant judged once in one way.
type shot struct {
	mutant int
	took   time.Duration
	inside float64 // seconds in the tests that it can affect
	report testrun.Report
}

// tally is what one way has done.
type tally struct {
	shots []shot
	wall  time.Duration // of its turns
	cpu   time.Duration // of the host and of everything that ran
}

// runner is one measurement.
type runner struct {
	Config
	mutants []mutant
	ways    map[Way]*tally
	empty   []time.Duration
	warm    time.Duration // starting warm processes and keeping them

	mu    sync.Mutex
	began time.Time
	now   Progress
	left  map[Way]int // mutants that each way has still to judge
}

// Run measures. Once drain is done it finishes what is being judged and
// summarises that; Summary.Ended tells. A fault of our own, twice, is an error:
// nothing was measured then.
func Run(ctx, drain context.Context, c Config) (Summary, error) {
	c.Workers, c.Repeat = max(1, c.Workers), max(1, c.Repeat)
	c.Truth = max(1, min(c.Truth, len(c.Mutants)))
	r := &runner{Config: c, ways: map[Way]*tally{}, left: map[Way]int{}, began: time.Now()}
	for _, w := range Ways {
		r.ways[w] = &tally{}
	}
	for _, m := range c.Mutants {
		tests, err := c.Suite.Affected(m.Tree)
		if err != nil {
			return Summary{}, err
		}
		body, err := c.Suite.InBodies(m.Tree)
		if err != nil {
			return Summary{}, err
		}
		r.mutants = append(r.mutants, mutant{m, tests, body})
	}
	turns := plan(len(c.Mutants), c.Truth, blocksOf(c.Truth, c.Workers), c.Repeat)
	for _, t := range turns {
		r.left[t.way] += len(t.mutants)
		r.now.Of += len(t.mutants)
	}
	block := -1
	for _, t := range turns {
		if drain.Err() != nil {
			break
		}
		if err := r.kindle(ctx); err != nil {
			return Summary{}, err
		}
		if t.block != block {
			block = t.block
			if err := r.emptyChildren(ctx); err != nil {
				return Summary{}, err
			}
		}
		if err := r.turn(ctx, drain, t); err != nil {
			return Summary{}, err
		}
	}
	s := r.summarise(drain.Err() != nil)
	if err := r.compare(ctx, drain, &s); err != nil {
		return Summary{}, err
	}
	return s, nil
}

// kindle keeps the warm processes serving, which would end while a slow way
// has its turn; no way is charged for that.
func (r *runner) kindle(ctx context.Context) error {
	began := time.Now()
	defer func() { r.warm += time.Since(began) }()
	return r.Suite.Kindle(ctx, r.Workers)
}

func (r *runner) emptyChildren(ctx context.Context) error {
	for range empties {
		took, ok, err := r.Suite.Empty(ctx)
		if err != nil {
			return err
		}
		if ok {
			r.empty = append(r.empty, took)
		}
	}
	return nil
}

// turn lets one way judge some mutants.
func (r *runner) turn(ctx, drain context.Context, t turn) error {
	way := r.ways[t.way]
	heat, own, began := r.Suite.Heat().CPU, ownCPU(), time.Now()
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(r.Workers)
	for _, i := range t.mutants {
		g.Go(func() error {
			if drain.Err() != nil || inner.Err() != nil {
				return inner.Err()
			}
			s, err := r.judge(inner, t.way, i)
			if err != nil {
				return err
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			way.shots = append(way.shots, s)
			if s.report.Tier == testrun.FreshProcess {
				way.cpu += s.report.CPU // of warm ones Heat tells
			}
			r.tell(t.way, way.wall+time.Since(began))
			return nil
		})
	}
	err := g.Wait()
	way.wall += time.Since(began)
	way.cpu += r.Suite.Heat().CPU - heat + ownCPU() - own
	return err
}

// judge runs the tests on one mutant; a fault of our own is tried once more.
func (r *runner) judge(ctx context.Context, w Way, i int) (shot, error) {
	m := r.mutants[i]
	req := testrun.Request{Tree: m.Tree, Fresh: true}
	switch w {
	case FreshCovering:
		if req.Tests = m.tests; req.Tests == nil {
			req.Tests = []string{}
		}
	case Core, CoreFirstRed:
		// What a failure looks like is no verdict; the others render it nowhere either.
		req.Tier, req.Decide, req.Brief, req.Unaudited = testrun.CodeSwap, w == CoreFirstRed, true, true
	}
	s := shot{mutant: i}
	for try := 1; ; try++ {
		began := time.Now()
		rep, err := r.Suite.Run(ctx, req)
		if err != nil && ctx.Err() == nil && try == 1 {
			continue
		}
		if err != nil {
			return s, fmt.Errorf("judge %s:%d %s: %w", m.Path, m.Line, m.Operator, err)
		}
		s.took, s.report = time.Since(began), rep
		break
	}
	for _, id := range m.tests {
		s.inside += s.report.Seconds[id]
	}
	if i >= r.Truth { // nothing to compare it with
		s.report = testrun.Report{Tier: s.report.Tier, CPU: s.report.CPU}
	}
	return s, nil
}

// tell says how far it is, after a mutant of a way that has spent some time.
func (r *runner) tell(w Way, spent time.Duration) {
	r.now.Done++
	r.left[w]--
	r.now.Way, r.now.Elapsed, r.now.Left = w, time.Since(r.began), 0
	for way, left := range r.left {
		took, n := r.ways[way].wall, len(r.ways[way].shots)
		if way == w {
			took = spent
		}
		if n == 0 { // not begun: as all together so far
			took, n = r.now.Elapsed, r.now.Done
		}
		r.now.Left += took / time.Duration(n) * time.Duration(left)
	}
	if r.Progress != nil {
		r.Progress(r.now)
	}
}

// ownCPU is the CPU time of this process.
func ownCPU() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
