package selfplay

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/arena"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Match is a fixed set of bugs of order 1 that versions of a policy are
// compared on: each has one attempt at each, with few steps. A bug is a mutation
// of which some fast tests that run it go red; it is repaired when all of these
// pass. Nothing is minimised or graded: all players are judged alike, and in
// seconds.
type Match struct {
	bugs []matchBug
	take func() (release func()) // waits for a place among others that run tests
}

type matchBug struct {
	board *Board
	red   arena.Red
	seed  uint64
	name  string
}

// Limits of a match's bugs.
const (
	matchTests = 8 // fast tests of those that run a site
	matchRed   = 4 // red tests that count
	matchTries = 4 // sites that are drawn for each bug
	matchDraws = 8 // breaks that are looked at together
)

// NewMatch makes n bugs, or as many as it can, the boards in turn, where breaker
// breaks what in admits (nil: all). It is a function of the boards and the seed:
// what is drawn does not depend on what came of it, so some are tried at once.
func NewMatch(ctx context.Context, boards []*Board, breaker policy.Policy, n int, seed uint64, in func(board int, m mutate.Mutation) bool) (*Match, error) {
	return newMatch(ctx, boards, breaker, n, seed, in, func() (release func()) { return func() {} })
}

func newMatch(ctx context.Context, boards []*Board, breaker policy.Policy, n int, seed uint64, in func(board int, m mutate.Mutation) bool, take func() (release func())) (*Match, error) {
	m := &Match{take: take}
	d := newDrawing(boards, breaker, seed, in)
	for d.try < matchTries*n && len(m.bugs) < n && d.empty < len(boards) {
		var drawn []drawnBreak
		for len(drawn) < min(n-len(m.bugs), matchDraws) && d.try < matchTries*n && d.empty < len(boards) {
			b, ok, err := d.next(ctx)
			if err != nil {
				return nil, err
			}
			if ok {
				drawn = append(drawn, b)
			}
		}
		bugs := make([]*matchBug, len(drawn))
		var g errgroup.Group
		g.SetLimit(testrun.AtOnce(runtime.NumCPU()))
		for i, b := range drawn {
			g.Go(func() error {
				defer take()()
				return guarded(func() error {
					red, ok, err := redOf(ctx, b.board, b.tree, b.mutation)
					if ok && err == nil {
						bugs[i] = &matchBug{b.board, red, b.seed, filepath.Base(b.board.Work.Snapshot.Source) + " " + b.mutation.ID}
					}
					return err
				})
			})
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
		for _, b := range bugs {
			if b != nil {
				m.bugs = append(m.bugs, *b)
			}
		}
	}
	return m, nil
}

// drawing draws the breaks of a match, one after the other.
type drawing struct {
	boards  []*Board
	breaker policy.Policy
	seed    uint64
	in      func(board int, m mutate.Mutation) bool
	made    []map[string]bool
	tried   []map[string]int
	try     int
	empty   int // boards in a row that had nothing left
}

type drawnBreak struct {
	board    *Board
	tree     *tree.Tree
	mutation mutate.Mutation
	seed     uint64
}

func newDrawing(boards []*Board, breaker policy.Policy, seed uint64, in func(board int, m mutate.Mutation) bool) *drawing {
	d := &drawing{boards: boards, breaker: breaker, seed: seed, in: in}
	for range boards {
		d.made, d.tried = append(d.made, map[string]bool{}), append(d.tried, map[string]int{})
	}
	return d
}

// next draws from the board whose turn it is; false where that gave no bug of order 1.
func (d *drawing) next(ctx context.Context) (drawnBreak, bool, error) {
	at := d.try % len(d.boards)
	d.try++
	o := arena.BreakOptions{Seed: attemptSeed(d.seed, d.try), Made: d.made[at], Tried: d.tried[at]}
	if d.in != nil {
		o.Except = func(s mutate.Mutation) bool { return !d.in(at, s) }
	}
	a, err := arena.NewBreak(d.boards[at].Bank, o)
	if errors.Is(err, arena.ErrNoSite) {
		d.empty++
		return drawnBreak{}, false, nil
	}
	if err != nil {
		return drawnBreak{}, false, err
	}
	d.empty = 0
	if _, err := d.breaker.Break(ctx, a); err != nil {
		return drawnBreak{}, false, err
	}
	broken, chosen, err := a.Result()
	if err != nil {
		return drawnBreak{}, false, err
	}
	for _, c := range chosen {
		d.made[at][c.ID] = true
		d.tried[at][c.Operator]++
	}
	if len(chosen) != 1 {
		return drawnBreak{}, false, nil
	}
	return drawnBreak{d.boards[at], broken, chosen[0], attemptSeed(d.seed, -d.try)}, true, nil
}

// redOf runs the fastest tests that run a mutation's lines; false when none of
// them goes red, or one hangs.
func redOf(ctx context.Context, b *Board, broken *tree.Tree, m mutate.Mutation) (arena.Red, bool, error) {
	var tests []string
	for _, id := range b.Work.Covering(m.Path, m.Line, m.LastLine) {
		if b.Work.Base.Results[id] == outcome.Passed && len(tests) < matchTests {
			tests = append(tests, id)
		}
	}
	if len(tests) == 0 {
		return arena.Red{}, false, nil
	}
	rep, err := b.Work.Run(ctx, testrun.Request{Tree: broken, Tests: tests, Tier: testrun.CodeSwap, Unaudited: true, GiveUp: 1})
	if err != nil {
		return arena.Red{}, false, fmt.Errorf("make a bug for a match: %w", err)
	}
	red := arena.Red{Tree: broken}
	for _, id := range tests {
		switch v := rep.Results.Get(id); {
		case v == outcome.TimedOut:
			return arena.Red{}, false, nil
		case v.Red() && len(red.Tests) < matchRed:
			red.Tests = append(red.Tests, id)
		}
	}
	if len(red.Tests) == 0 {
		return arena.Red{}, false, nil
	}
	red.Failure = rep.Failures[red.Tests[0]]
	diff, err := tree.Diff(b.Work.Snapshot.Tree, broken)
	if err != nil {
		return arena.Red{}, false, err
	}
	if red.Contexts, err = arena.Contexts(diff, broken); err != nil {
		return arena.Red{}, false, nil // no place to show
	}
	return red, true, nil
}

// split gives a match of the first n bugs and one of the others.
func (m *Match) split(n int) (first, others *Match) {
	n = min(n, len(m.bugs))
	return &Match{m.bugs[:n], m.take}, &Match{m.bugs[n:], m.take}
}

// Bugs is how many there are.
func (m *Match) Bugs() int { return len(m.bugs) }

// Names are the bugs' sources and mutations, in order.
func (m *Match) Names() []string {
	var names []string
	for _, b := range m.bugs {
		names = append(names, b.name)
	}
	return names
}

// Play has the fixer attempt every bug once, and returns the step that solved
// each; 0: none did.
func (m *Match) Play(ctx context.Context, fixer policy.Policy, steps, workers int) ([]int, error) {
	if s, ok := fixer.(policy.Steady); ok {
		fixer = s.Steady()
	}
	solved := make([]int, len(m.bugs))
	var g errgroup.Group
	g.SetLimit(testrun.AtOnce(workers))
	for i := range m.bugs {
		g.Go(func() error {
			defer m.take()()
			return guarded(func() (err error) {
				solved[i], err = m.bugs[i].attempt(ctx, fixer, steps)
				return err
			})
		})
	}
	return solved, g.Wait()
}

func (b *matchBug) attempt(ctx context.Context, fixer policy.Policy, steps int) (int, error) {
	red := b.red
	red.Tests = slices.Clone(red.Tests)
	red.Brief, red.Deadline = policy.Skims(fixer), b.board.stepDeadline
	a, err := arena.NewRed(b.board.Work, red, arena.FixOptions{Seed: b.seed, Steps: steps})
	if err != nil {
		return 0, err
	}
	if _, err := fixer.Fix(ctx, a); err != nil {
		return 0, fmt.Errorf("%s in a match: %w", fixer.Name(), err)
	}
	got, err := a.Result()
	if err != nil {
		return 0, err
	}
	if got.Ending == arena.Submitted && got.Step > 0 && got.Records[got.Step-1].Verdict == outcome.Passed {
		return got.Step, nil
	}
	return 0, nil
}
