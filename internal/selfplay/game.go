// Package selfplay is the loop: draw a round of games, play them, observe
// what came of them, store everything, repeat.
//
// A round is drawn before any of its games is played, and observed after all
// of them are stored, in episode order. So one worker and sixteen play the
// same games, and a run that was cut off anywhere goes on as if it had not
// been: games of the open round that are stored already are not played again.
package selfplay

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/curriculum"
	"breakfix/internal/faults"
	"breakfix/internal/grade"
	"breakfix/internal/policy"
	"breakfix/internal/reward"
	"breakfix/internal/store"
)

// Config is what a run is told.
type Config struct {
	Seed     uint64
	Episodes int           // how many to play; 0 means until something else ends the run
	Limit    time.Duration // wall time of this sitting; 0 means none
	Workers  int           // validations and attempts at the same time
	Group    int           // attempts a bug
	Steps    int           // steps an attempt
	Order    int           // highest order of a bug
	Disk     int64         // bytes that the run folder may take; 0 means no cap
	Fresh    bool          // nothing but new breaks is played
	Budget   int           // steps of the fixer after which no further round is drawn; 0 means no end
	Learn    int           // games after which the next version is made, at the end of a round; 0: never
	Judge    int           // one version in so many plays the match, the others are taken as they are; 0 is 1
	Async    int           // games that may be played, with the version before, while one is made; 0: play waits for it
}

// roundSize is how many games are drawn together. It bounds how stale the
// curriculum is, and how many workers a run can use.
const roundSize = 8

// Game is one self-play run and everything that it needs.
type Game struct {
	Config  Config
	Boards  []*Board
	Breaker policy.Policy
	Fixer   policy.Policy
	Schema  reward.Schema
	Store   *store.Store
	Watch   Watcher

	// Learner is the one of Breaker and Fixer that learns; nil: none does.
	Learner policy.Learner
	// Frozen breaks the code of the matches that versions are compared in.
	Frozen policy.Policy

	// Prepared holds the seconds that preparing took, by phase: prepare, baseline.
	Prepared map[string]float64

	curriculum *curriculum.Curriculum
	tried      []map[string]bool        // by source: ids of the mutations that were made
	made       [][]string               // the same in the order in which they were made
	uses       []map[string]int         // by source: breaks by operator, those of the open round too
	yields     []map[string]arena.Yield // by source: what came of the breaks of whole rounds, by operator
	known      *bug.Known               // valid bugs of earlier rounds
	knownIDs   []string
	reached    int // highest order of a valid bug
	rounds     []curriculum.Round
	next       int                    // number of the first episode of the open round
	stored     map[int]*store.Episode // episodes of the open round that were stored by an earlier sitting
	fresh      int                    // episodes played in this sitting
	steps      int                    // of the fixer, in whole rounds
	firstBug   atomic.Int64           // nanoseconds from the start of this sitting to its first valid bug
	started    time.Time
	before     store.Totals // of earlier sittings
	gradings   *grade.Cache
	tally      *tally
	faults     faults.Window
	thinking   stopwatch
	learning   *learning // nil: nothing is learned
	slots      *slots
	beside     sync.WaitGroup // work that nobody waits for before the end
}

// Ending tells why a run ended.
type Ending string

// The endings. After each of them the run is whole and can be resumed.
const (
	Played      Ending = "every episode was played"
	Spent       Ending = "the steps are spent"
	TimeIsUp    Ending = "the time is up"
	Plateaued   Ending = "difficulty stands still"
	DiskIsFull  Ending = "the run folder has reached its disk cap"
	Exhausted   Ending = "every mutation has been made"
	Interrupted Ending = "interrupted"
)

// FaultsError ends a run in which too much of the work failed by our own
// fault, so that its numbers would say little.
type FaultsError struct {
	Faults, Of int
	Last       error
}

func (e *FaultsError) Error() string {
	return fmt.Sprintf("%d of the last %d attempts failed by a fault of breakfix or of this machine, last: %v", e.Faults, e.Of, e.Last)
}

func (e *FaultsError) Unwrap() error { return e.Last }

// Play plays until the run ends. Ending drain lets the games that are in
// flight end and be stored; ending ctx stops at once. What was stored is never
// lost.
func (g *Game) Play(ctx, drain context.Context) (Ending, error) {
	started := time.Now()
	ctx, end := context.WithCancel(ctx)
	defer func() {
		end()
		g.beside.Wait()
	}()
	if err := g.resume(ctx); err != nil {
		return "", err
	}
	g.started = started
	stop, cancel := context.WithCancel(drain)
	defer cancel()
	if g.Config.Limit > 0 {
		timer := time.AfterFunc(g.Config.Limit, cancel)
		defer timer.Stop()
	}
	defer g.abandon()
	for {
		if ending, over := g.over(drain, stop); over {
			return g.end(ctx, started, ending)
		}
		games, err := g.draw(ctx)
		if err != nil {
			return "", err
		}
		if len(games) == 0 {
			return g.end(ctx, started, Exhausted)
		}
		whole, err := g.playRound(ctx, stop, games, started)
		if err != nil {
			return "", err
		}
		if !whole {
			continue // told to stop: over() says why
		}
		if err := g.observe(ctx, games); err != nil {
			return "", err
		}
		if err := g.saveTotals(ctx, started); err != nil {
			return "", err
		}
		if ending, over := g.plateaued(); over {
			return g.end(ctx, started, ending)
		}
	}
}

// end ends the run. A version that is being made is waited for, unless somebody interrupted:
// then it is made again when the run goes on.
func (g *Game) end(ctx context.Context, started time.Time, ending Ending) (Ending, error) {
	if ending == Interrupted || g.learning == nil || g.learning.job == nil {
		return ending, nil
	}
	if err := g.still(func() error { return g.settle(ctx, g.learning.state.Making.Until) }); err != nil {
		return "", err
	}
	if err := g.saveState(ctx); err != nil {
		return "", err
	}
	return ending, g.saveTotals(ctx, started)
}

// over tells whether no further round is to be drawn.
func (g *Game) over(drain, stop context.Context) (Ending, bool) {
	switch {
	case drain.Err() != nil:
		return Interrupted, true
	case g.Config.Episodes > 0 && g.tally.now.Episodes >= g.Config.Episodes:
		return Played, true
	case g.Config.Budget > 0 && g.steps >= g.Config.Budget:
		return Spent, true
	case stop.Err() != nil:
		return TimeIsUp, true
	}
	// Looked at before a round, so that a run at its cap does not grow when it is resumed.
	if g.Config.Disk > 0 {
		if size, err := g.Store.Size(); err == nil && size >= g.Config.Disk {
			return DiskIsFull, true
		}
	}
	return "", false
}

// plateaued tells, after a round, whether the run ends by itself.
func (g *Game) plateaued() (Ending, bool) {
	if g.Config.Episodes == 0 && g.Config.Limit == 0 && g.Config.Budget == 0 {
		if at, ok := curriculum.Plateau(g.rounds, curriculum.PlateauRounds); ok {
			g.notice(fmt.Sprintf("difficulty stands still since episode %d", at))
			return Plateaued, true
		}
	}
	return "", false
}

// formal reports whether the form of the breaker's answers is all that is paid
// for: then nothing is validated, and versions play no match.
func (g *Game) formal() bool {
	_, ok := g.Schema.(reward.Formal)
	return ok
}

func (g *Game) notice(line string) { g.Watch.Notice(line) }
