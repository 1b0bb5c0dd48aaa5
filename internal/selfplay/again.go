package selfplay

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/learn"
	"breakfix/internal/policy"
	"breakfix/internal/store"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// batch gathers what is learned from: the pending games and, of earlier ones,
// those that replay drew, fixes only. Before are the mutations of each source in the
// order in which they were made.
func (g *Game) batch(ctx context.Context, m making, before [][]string) ([]policy.Scored, learn.Counts, error) {
	uses := map[int]int{}
	about := map[int]pending{}
	var fixes, breaks []store.Episode
	for _, row := range m.Replay {
		ep, err := g.Store.Episode(ctx, row.Episode)
		if err != nil {
			return nil, learn.Counts{}, err
		}
		uses[ep.Number] = row.Uses
		fixes = append(fixes, ep)
	}
	for _, p := range m.Pending {
		ep, err := g.Store.Episode(ctx, p.Episode)
		if err != nil {
			return nil, learn.Counts{}, err
		}
		about[ep.Number] = p
		if p.Tries {
			fixes = append(fixes, ep)
		}
		if p.Fresh {
			breaks = append(breaks, ep)
		}
	}
	var scored []policy.Scored
	entries, counts, err := learn.Breaks(breaks)
	if err != nil {
		return nil, counts, err
	}
	byNumber := map[int]*store.Episode{}
	for i := range breaks {
		byNumber[breaks[i].Number] = &breaks[i]
	}
	for _, e := range entries {
		ep := byNumber[e.Episode]
		s := scoredOf(e, 0, policy.Trajectory{Version: policy.Version(ep.Break.Version), Steps: 1, Data: ep.Break.Data})
		if s.Break, err = g.breakAgain(ep, about[e.Episode], before[ep.Source]); err != nil {
			return nil, counts, err
		}
		scored = append(scored, s)
	}
	entries, more, err := learn.Fixes(fixes)
	if err != nil {
		return nil, counts, err
	}
	byNumber = map[int]*store.Episode{}
	for i := range fixes {
		byNumber[fixes[i].Number] = &fixes[i]
	}
	tasks := map[int]arena.Fix{}
	for _, e := range entries {
		ep := byNumber[e.Episode]
		if tasks[e.Episode] == nil {
			if tasks[e.Episode], err = g.fixAgain(ep); err != nil {
				return nil, counts, err
			}
		}
		a := ep.Attempts[slices.IndexFunc(ep.Attempts, func(a store.Attempt) bool { return a.Number == e.Attempt })]
		s := scoredOf(e, uses[e.Episode], policy.Trajectory{Version: policy.Version(a.Version), Steps: len(a.Steps), Data: a.Data})
		s.Fix, s.Right = tasks[e.Episode], g.Boards[ep.Source].Work.Snapshot.Tree.Read
		scored = append(scored, s)
	}
	return scored, counts.Add(more), nil
}

func scoredOf(e learn.Entry, uses int, t policy.Trajectory) policy.Scored {
	return policy.Scored{Role: e.Role, Trajectory: t, Group: e.Group, Won: e.Won, Reward: e.Reward, Advantage: e.Advantage, Uses: uses}
}

// breakAgain is a break as its breaker met it.
func (g *Game) breakAgain(ep *store.Episode, p pending, before []string) (arena.Break, error) {
	made := map[string]bool{}
	for _, id := range before[:min(p.Made, len(before))] {
		made[id] = true
	}
	a, err := arena.NewBreak(g.Boards[ep.Source].Bank, arena.BreakOptions{Seed: ep.Seed, Made: made, Tried: p.Tried, Known: p.Known, Except: g.except(ep.Source)})
	if err != nil {
		return nil, fmt.Errorf("open the break of episode %d again: %w", ep.Number, err)
	}
	return a, nil
}

// fixAgain is an episode's bug as its fixers met it.
func (g *Game) fixAgain(ep *store.Episode) (arena.Fix, error) {
	b, err := bug.Load(g.Store.BugDir(ep.Break.Bug))
	if err != nil {
		return nil, err
	}
	broken, err := tree.Apply(g.Boards[ep.Source].Work.Snapshot.Tree, b.Inject)
	if err != nil {
		return nil, fmt.Errorf("apply bug %s: %w", b.ID, err)
	}
	a, err := arena.NewFix(over{}, b, broken, arena.FixOptions{Seed: ep.Seed, Steps: g.Config.Steps})
	if err != nil {
		return nil, fmt.Errorf("open episode %d again: %w", ep.Number, err)
	}
	return a, nil
}

// over runs nothing: the game is over.
type over struct{}

func (over) Run(context.Context, testrun.Request) (testrun.Report, error) {
	return testrun.Report{}, errors.New("the game is over: it can be read, and no step can be made")
}
