package selfplay

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/curriculum"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/store"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// chosen is what the breaker handed in for a fresh game.
type chosen struct {
	tree      *tree.Tree
	mutations []mutate.Mutation
	written   *arena.Written // by a breaker that writes its own edits
	played    policy.Trajectory

	made  int // what the breaker saw: mutations of the source that were made before, breaks by operator, and what came of them
	uses  map[string]int
	known map[string]arena.Yield
}

// choose lets the breaker break a source. It changes nothing of the game, so
// that several may choose at the same time.
func (g *Game) choose(ctx context.Context, item curriculum.Item) (*chosen, error) {
	board := g.Boards[item.Source]
	c := &chosen{made: len(g.made[item.Source]), uses: maps.Clone(g.uses[item.Source]), known: maps.Clone(g.yields[item.Source])}
	var a *arena.BreakArena
	var played policy.Trajectory
	began := time.Now()
	err := g.retry(ctx, func() (err error) {
		a, err = arena.NewBreak(board.Bank, arena.BreakOptions{Seed: item.Seed, Made: g.tried[item.Source], Tried: g.uses[item.Source], Known: g.yields[item.Source],
			Except: g.except(item.Source), Steps: g.Config.Steps, Runner: board.Work,
			Past: func(ctx context.Context) ([]byte, string, bool, error) { return board.past(ctx, item.Seed) }})
		if err != nil {
			return err
		}
		if played, err = g.breaker().Break(ctx, a); err != nil {
			return fmt.Errorf("%s as breaker: %w", g.Breaker.Name(), err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	broken, made, err := a.Result()
	if err != nil {
		return nil, err
	}
	g.thinking.add(time.Since(began))
	c.tree, c.mutations, c.written, c.played = broken, made, a.Written(), played
	return c, nil
}

// count counts the mutations of a break as made from here on, whatever becomes of them.
func (g *Game) count(item curriculum.Item, c *chosen) {
	for _, m := range c.mutations {
		g.tried[item.Source][m.ID] = true
		g.made[item.Source] = append(g.made[item.Source], m.ID)
		g.uses[item.Source][m.Operator]++
	}
}

// play plays one game: the break is validated, the fixer tries to repair it,
// its repairs are graded, both roles are rewarded.
func (g *Game) play(ctx context.Context, it *game) (*store.Episode, error) {
	began := time.Now()
	ep := &store.Episode{
		Number: it.item.Number, Kind: it.item.Kind, Source: it.item.Source, Seed: it.item.Seed,
		Group: g.Config.Group, Schema: g.Schema.Name(), Seconds: map[string]float64{},
	}
	board := g.Boards[it.item.Source]
	b, err := g.breakOf(ctx, board, it, ep)
	if err != nil {
		return nil, err
	}
	if b != nil {
		if err := g.fix(ctx, board, b, ep); err != nil {
			return nil, err
		}
	}
	if err := store.Score(ep); err != nil {
		return nil, err
	}
	ep.Seconds["total"] = time.Since(began).Seconds()
	return ep, nil
}

// breakOf gives the bug that the game is about, nil when there is none, and
// records the breaker's half of the episode.
func (g *Game) breakOf(ctx context.Context, board *Board, it *game, ep *store.Episode) (*bug.Bug, error) {
	br := &ep.Break
	br.Weight, br.Order = it.item.Weight, it.item.Order
	if it.item.Kind == store.KindReplay {
		b, err := bug.Load(g.Store.BugDir(it.item.BugID))
		if err != nil {
			return nil, err
		}
		br.Outcome = outcome.Valid
		g.describe(br, b)
		return b, nil
	}
	cand, objection, err := g.candidate(board, it, br)
	if err != nil {
		return nil, err
	}
	switch {
	case g.formal() && it.item.Kind == store.KindFresh:
		reject(br, outcome.CheckForm, br.Checks[outcome.CheckForm])
		return nil, nil
	case objection != "":
		reject(br, outcome.CheckHigher, objection)
		return nil, nil
	case cand.Tree == nil:
		reject(br, outcome.CheckFiles, "the breaker handed in nothing")
		return nil, nil
	}
	if diff, err := tree.Diff(board.Work.Snapshot.Tree, cand.Tree); err == nil {
		br.Diff = string(diff)
	}
	res, err := g.validated(ctx, board, cand, ep)
	if err != nil || res.Bug == nil {
		return nil, err
	}
	if err := g.keep(res.Bug); err != nil {
		return nil, err
	}
	g.firstBug.CompareAndSwap(0, int64(time.Since(g.started)))
	if br.Original, err = g.Store.PutBlob([]byte(res.Bug.RedTest.Original)); err != nil {
		return nil, err
	}
	g.describe(br, res.Bug)
	return res.Bug, nil
}

// reject notes that a break is none, and what says so.
func reject(br *store.Break, check outcome.Check, reason string) {
	br.Outcome, br.Check, br.Reason = outcome.Rejected, check, reason
}

// validated validates a candidate and notes what came of it; there is no bug where that failed by a fault of our own.
func (g *Game) validated(ctx context.Context, board *Board, cand bug.Candidate, ep *store.Episode) (res bug.Result, err error) {
	br := &ep.Break
	err = g.retry(ctx, func() (err error) {
		release := g.slots.take(ep.Number)
		defer release()
		began := time.Now()
		res, err = bug.Validate(ctx, board.Target, cand, g.known)
		ep.Seconds["validate"] += time.Since(began).Seconds()
		return err
	})
	if ctx.Err() != nil {
		return res, ctx.Err()
	}
	g.faults.Add(err)
	if err != nil {
		slog.Error("validation failed by a fault of our own", "episode", ep.Number, "error", err)
		reject(br, outcome.CheckInfrastructure, firstLine(err.Error()))
		ep.Notices = append(ep.Notices, fmt.Sprintf("episode %d: not scored, validation failed by a fault of our own; see log.jsonl", ep.Number))
		return bug.Result{}, nil
	}
	for check, s := range res.Seconds {
		ep.Seconds["check "+string(check)] += s
	}
	br.Outcome, br.Check, br.Reason, br.Checks = res.Outcome, res.Check, res.Reason, res.Checks
	minimal, red := "", []string(nil)
	if res.Bug != nil {
		minimal, red = res.Bug.RedTest.Test, res.Bug.Red
	}
	for _, run := range res.Runs {
		br.Runs = append(br.Runs, store.Rows(board.Work.Base.Results, run, append(slices.Clone(red), minimal)...))
	}
	for _, tier := range res.Tiers {
		br.Tiers = append(br.Tiers, tier.String())
	}
	return res, nil
}

// candidate is the break before validation; objection says why a failed
// repair cannot become one.
func (g *Game) candidate(board *Board, it *game, br *store.Break) (cand bug.Candidate, objection string, err error) {
	if it.item.Kind == store.KindHigherOrder {
		parent, err := bug.Load(g.Store.BugDir(it.item.BugID))
		if err != nil {
			return cand, "", err
		}
		br.Parents, br.Operators = []string{parent.ID}, parent.Operators
		cand, err = bug.HigherOrder(board.Work.Snapshot.Tree, parent, it.item.Repair, it.item.Seed)
		if err != nil {
			return cand, err.Error(), nil
		}
		cand.Tier = policy.Tier(g.Fixer) // the repair is in it
		if cand.Tier == testrun.FreshProcess {
			broken, err := tree.Apply(board.Work.Snapshot.Tree, parent.Inject)
			if err != nil {
				return cand, "", err
			}
			objection, err = arena.Said(broken, cand.Tree) // what one player wrote must tell the next nothing
			return cand, objection, err
		}
		return cand, "", nil
	}
	c := it.chosen
	br.Version, br.Data = string(c.played.Version), c.played.Data
	if g.formal() {
		br.Checks = map[outcome.Check]string{outcome.CheckForm: string(c.played.Form)}
	}
	if w := c.written; w != nil {
		br.Variant = w.Strategy
		return bug.Candidate{Tree: w.Tree, Strategy: w.Strategy, Origin: w.Origin, Tests: w.Tests, Weaken: w.Weaken, Seed: it.item.Seed, Order: 1,
			Tier: policy.Tier(g.Breaker)}, "", nil
	}
	for i, m := range c.mutations {
		br.Operators = append(br.Operators, m.Operator)
		if i == 0 {
			br.Variant, br.Path, br.Function, br.Line = m.Variant, m.Path, m.Function, m.Line
		}
	}
	return bug.Candidate{Tree: c.tree, Mutations: c.mutations, Strategy: "operator", Seed: it.item.Seed, Order: 1,
		Tier: testrun.CodeSwap}, "", nil // mutations of the bank, whoever chose them
}

// describe copies what an episode shows of its bug.
func (g *Game) describe(br *store.Break, b *bug.Bug) {
	br.Bug, br.Order, br.Parents, br.Operators = b.ID, b.Order, b.Parents, b.Operators
	br.Weight, br.Minutes, br.Red, br.Hidden = b.Weight, b.Difficulty.Minutes, b.Red, append([]string{}, b.Hidden...)
	br.MinimalTest, br.Statements, br.StatementsBefore = b.RedTest.Test, b.RedTest.Statements, b.RedTest.Before
	br.Diff = string(b.Inject)
}

// keep writes the artifact, once: a game that is played again after a crash
// makes the same bug.
func (g *Game) keep(b *bug.Bug) error {
	dir := g.Store.BugDir(b.ID)
	if _, err := bug.Load(dir); err == nil {
		return nil
	}
	return b.Write(dir)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
