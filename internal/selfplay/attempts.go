package selfplay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/grade"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/store"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// fix lets the fixer have a group of attempts at the bug.
func (g *Game) fix(ctx context.Context, board *Board, b *bug.Bug, ep *store.Episode) error {
	broken, err := tree.Apply(board.Work.Snapshot.Tree, b.Inject)
	if err != nil {
		return fmt.Errorf("apply bug %s: %w", b.ID, err)
	}
	places, err := arena.Contexts(b.Inject, broken)
	if err != nil {
		return fmt.Errorf("bug %s: %w", b.ID, err)
	}
	o := arena.FixOptions{Steps: g.Config.Steps, Deadline: board.stepDeadline(b.RedTest.From), Contexts: places, Memo: new(arena.Memo)}
	began := time.Now()
	if policy.Skims(g.fixer()) {
		if o.Direct, err = g.direct(ctx, board, b, broken, ep.Number); err != nil {
			return err
		}
	}
	ep.Attempts = make([]store.Attempt, g.Config.Group)
	fatal := make([]error, g.Config.Group)
	spent := make([]map[string]float64, g.Config.Group)
	var wg sync.WaitGroup
	for i := range ep.Attempts {
		wg.Add(1)
		go func() {
			defer wg.Done()
			release := g.slots.take(ep.Number)
			defer release()
			spent[i] = map[string]float64{}
			ep.Attempts[i], fatal[i] = g.attempt(ctx, board, b, broken, o, attemptSeed(ep.Seed, i+1), spent[i])
			ep.Attempts[i].Number = i + 1
		}()
	}
	wg.Wait()
	ep.Seconds["fix"] = time.Since(began).Seconds()
	for _, phases := range spent {
		for phase, s := range phases {
			ep.Seconds[phase] += s
		}
	}
	for _, a := range ep.Attempts {
		for _, reason := range a.Suspicious {
			ep.Notices = append(ep.Notices, fmt.Sprintf("episode %d, attempt %d: suspicious grading: %s", ep.Number, a.Number, reason))
		}
	}
	return errors.Join(fatal...)
}

// direct reports whether steps may call the red test without pytest; a fault of our own leaves it to pytest.
func (g *Game) direct(ctx context.Context, board *Board, b *bug.Bug, broken *tree.Tree, game int) (able bool, err error) {
	release := g.slots.take(game)
	defer release()
	err = g.retry(ctx, func() (err error) {
		able, err = arena.Direct(ctx, board.Work, b, board.Work.Snapshot.Tree, broken)
		return err
	})
	g.faults.Add(err)
	return able && err == nil, ctx.Err()
}

// attempt is one go of the fixer; it adds to spent what each phase took. A fault of our own is tried again and then
// recorded as such; only the end of ctx is an error.
func (g *Game) attempt(ctx context.Context, board *Board, b *bug.Bug, broken *tree.Tree, o arena.FixOptions, seed uint64, spent map[string]float64) (store.Attempt, error) {
	var a store.Attempt
	err := g.retry(ctx, func() (err error) {
		a, err = g.attemptOnce(ctx, board, b, broken, o, seed, spent)
		return err
	})
	if ctx.Err() != nil {
		return a, ctx.Err()
	}
	g.faults.Add(err)
	if err != nil {
		slog.Error("attempt failed by a fault of our own", "bug", b.ID, "error", err)
		return store.Attempt{Version: string(g.fixer().Version()), Outcome: outcome.Infrastructure}, nil
	}
	return a, nil
}

// stepFloor is the least time that the red test has in one step of the fixer. A minimised
// test takes milliseconds, and many edits of a loop never end; what a step shows is
// feedback, and grading gives every test its whole deadline.
const stepFloor = 300 * time.Millisecond

// stepDeadline is what a red test has in one step of the fixer: the floor, or what
// the test of the suite that it is, or was made from, would have, if that is more.
func (b *Board) stepDeadline(test string) time.Duration {
	return max(stepFloor, time.Duration(testrun.Slack*b.Work.Base.Seconds[test]*float64(time.Second)))
}

func (g *Game) attemptOnce(ctx context.Context, board *Board, b *bug.Bug, broken *tree.Tree, o arena.FixOptions, seed uint64, spent map[string]float64) (store.Attempt, error) {
	tests := &timedRunner{Runner: board.Work}
	o.Seed = seed
	fx, err := arena.NewFix(tests, b, broken, o)
	if err != nil {
		return store.Attempt{}, err
	}
	began := time.Now()
	played, err := g.fixer().Fix(ctx, fx)
	took := time.Since(began)
	g.thinking.add(took - tests.spent)
	spent["steps"] += tests.spent.Seconds()
	spent["fixer"] += (took - tests.spent).Seconds()
	if err != nil {
		return store.Attempt{}, fmt.Errorf("%s as fixer: %w", g.Fixer.Name(), err)
	}
	left, err := fx.Result()
	if err != nil {
		return store.Attempt{}, err
	}
	a := store.Attempt{Version: string(played.Version), Data: played.Data, Patch: string(left.Patch)}
	for _, r := range left.Records {
		a.Steps = append(a.Steps, store.Step{
			Number: r.Number, From: r.From, What: r.What, Diff: r.Diff, Applied: r.Applied,
			Verdict: r.Verdict, Failure: r.Failure, Cached: r.Cached, Version: string(played.Version),
		})
	}
	switch left.Ending {
	case arena.GaveUp:
		a.Outcome = outcome.GaveUp
		return a, nil
	case arena.OutOfSteps:
		a.Outcome = outcome.OutOfSteps
		if len(left.Patch) > 0 {
			a.Tree = string(left.Tree.Digest())
		}
		return a, nil
	}
	tier := policy.Tier(g.Fixer)
	if left.Own {
		tier = testrun.CodeSwap // mutations of the bank, whoever chose them
	}
	res, err := grade.Grade(ctx, board.Grading, b, left.Tree, grade.Options{Tier: tier, Cache: g.gradings})
	if err != nil {
		return store.Attempt{}, fmt.Errorf("grade: %w", err)
	}
	for gate, s := range res.Seconds {
		spent["gate "+string(gate)] += s
	}
	a.Outcome, a.Gates, a.Tree, a.Suspicious = res.Outcome, res.Gates, res.Tree, res.Suspicious
	a.Spurious, a.Tier = res.Spurious, res.Tier.String()
	// Whether a repair is spurious can be told when it passed what the fixer saw
	// and there was something that it did not see.
	a.Judged = res.Results.Get(b.RedTest.Test) == outcome.Passed && len(b.Hidden) > 0
	a.Verdicts = store.Rows(board.Work.Base.Results, res.Results, append(slices.Clone(b.Red), b.RedTest.Test)...)
	return a, nil
}

// timedRunner tells the time in tests from the time that a player thinks. One
// player uses it.
type timedRunner struct {
	testrun.Runner
	spent time.Duration
}

func (r *timedRunner) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	began := time.Now()
	defer func() { r.spent += time.Since(began) }()
	return r.Runner.Run(ctx, req)
}

// attemptSeed gives each attempt of a game randomness of its own
// (SplitMix64's output function, Steele et al. 2014).
func attemptSeed(seed uint64, attempt int) uint64 {
	z := seed + uint64(attempt)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
