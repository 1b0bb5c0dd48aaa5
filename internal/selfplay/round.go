package selfplay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/arena"
	"breakfix/internal/curriculum"
	"breakfix/internal/policy"
	"breakfix/internal/store"
)

// game is one drawn item: what the breaker chose, then what became of it.
type game struct {
	item    curriculum.Item
	chosen  *chosen // fresh games only
	episode *store.Episode
}

// draw draws the games of the next round: the curriculum says what is played,
// the breaker what it breaks, one break after another, so that no mutation is made twice. A
// breaker that waits for a server chooses all breaks of a round at the same time, knowing
// of what was made in earlier rounds; what two of them make alike, validation finds.
func (g *Game) draw(ctx context.Context) ([]*game, error) {
	n := roundSize
	if g.Config.Episodes > 0 {
		n = min(n, g.Config.Episodes-g.next+1)
	}
	if g.Config.Budget > 0 { // by one game at most is it overdrawn
		n = min(n, max(1, (g.Config.Budget-g.steps)/(g.Config.Group*g.Config.Steps)))
	}
	items := g.curriculum.Next(n)
	choose := func(i int) (*chosen, error) { return g.choose(ctx, items[i]) }
	if policy.Waits(g.Breaker) {
		choose = g.chooseAhead(ctx, items)
	}
	var games []*game
	for i, item := range items {
		it := &game{item: item, episode: g.stored[item.Number]}
		if item.Kind == store.KindFresh {
			c, err := choose(i)
			if errors.Is(err, arena.ErrNoSite) {
				break
			}
			if err != nil {
				return nil, err
			}
			it.chosen = c
			if !g.formal() { // what is not validated may be handed in again
				g.count(item, c)
			}
		}
		games = append(games, it)
	}
	return games, nil
}

// chooseAhead chooses all fresh breaks of a round, as many at the same time as there are
// workers, and gives what came of each.
func (g *Game) chooseAhead(ctx context.Context, items []curriculum.Item) func(i int) (*chosen, error) {
	all, errs := make([]*chosen, len(items)), make([]error, len(items))
	var group errgroup.Group
	group.SetLimit(max(1, g.Config.Workers))
	for i, item := range items {
		if item.Kind == store.KindFresh {
			group.Go(func() error {
				all[i], errs[i] = g.choose(ctx, item)
				return nil
			})
		}
	}
	group.Wait()
	return func(i int) (*chosen, error) { return all[i], errs[i] }
}

// playRound plays the games of a round with the workers there are and stores
// each as it ends. It reports whether all of them are stored. More games are open than there
// are workers: attempts at one bug wait for each other's verdicts, those at another do not.
func (g *Game) playRound(ctx, stop context.Context, games []*game, started time.Time) (bool, error) {
	todo := make(chan *game)
	failed := make(chan struct{})
	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
		mu    sync.Mutex // the store has one writer, the watcher one caller
	)
	for range 2 * max(1, g.Config.Workers) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for it := range todo {
				var ep *store.Episode
				err := guarded(func() (err error) {
					ep, err = g.play(ctx, it)
					return err
				})
				if err == nil {
					mu.Lock()
					err = g.record(ctx, it, ep, started)
					mu.Unlock()
				}
				if err != nil {
					once.Do(func() { first = err; close(failed) })
					return
				}
			}
		}()
	}
feed:
	for _, it := range games {
		if it.episode != nil { // stored before the run was cut off
			continue
		}
		select {
		case todo <- it:
		case <-stop.Done():
			break feed
		case <-failed:
			break feed
		}
	}
	close(todo)
	wg.Wait()
	if first != nil {
		return false, first
	}
	for _, it := range games {
		if it.episode == nil {
			return false, ctx.Err()
		}
	}
	return true, nil
}

// record stores an episode, once, and shows it.
func (g *Game) record(ctx context.Context, it *game, ep *store.Episode, started time.Time) error {
	if err := g.Store.PutEpisode(ctx, *ep); err != nil {
		return fmt.Errorf("store episode %d: %w", ep.Number, err)
	}
	it.episode = ep
	if err := g.saveTotals(ctx, started); err != nil {
		return err
	}
	g.tally.add(*ep)
	g.fresh++
	now := g.tally.now
	now.Elapsed = time.Since(started)
	g.measure(&now)
	g.Watch.Episode(*ep, now)
	for _, line := range ep.Notices {
		g.Watch.Notice(line)
	}
	if n, of, last, stop := g.faults.TooMany(); stop {
		return &FaultsError{n, of, last}
	}
	return nil
}

// observe tells the curriculum what came of a round, in episode order, and
// stores the state from which the next round is drawn.
func (g *Game) observe(ctx context.Context, games []*game) error {
	results := make([]curriculum.Result, 0, len(games))
	round := curriculum.Round{}
	for _, it := range games {
		ep := it.episode
		results = append(results, resultOf(it.item, *ep))
		round.Last = ep.Number
		g.steps += stepsOf(*ep)
		if ep.Break.Bug != "" {
			round.Minutes = append(round.Minutes, ep.Break.Minutes)
		}
		if err := g.remember(it); err != nil {
			return err
		}
	}
	g.curriculum.Observe(results)
	g.rounds = append(g.rounds, round)
	g.next += len(games)
	if err := g.learnFrom(ctx, games); err != nil {
		return err
	}
	return g.saveState(ctx)
}

// stepsOf counts what the fixer did in a game.
func stepsOf(ep store.Episode) int {
	n := 0
	for _, a := range ep.Attempts {
		n += len(a.Steps)
	}
	return n
}

// resultOf is an episode as the curriculum sees it.
func resultOf(item curriculum.Item, ep store.Episode) curriculum.Result {
	r := curriculum.Result{Item: item, Outcome: ep.Break.Outcome, BugID: ep.Break.Bug, Order: ep.Break.Order}
	for _, a := range ep.Attempts {
		r.Attempts = append(r.Attempts, curriculum.Attempt{Outcome: a.Outcome, Patch: []byte(a.Patch), Tree: a.Tree})
	}
	return r
}
