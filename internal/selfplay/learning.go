package selfplay

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/learn"
	"breakfix/internal/mutate"
	"breakfix/internal/policy"
	"breakfix/internal/store"
	"breakfix/internal/tree"
)

// learning is what a run that learns keeps beside its games. Its state is stored
// with the curriculum's, between two rounds, so that a run that was cut off
// while it learned does so again from the same state.
type learning struct {
	held    []*heldOut // by board
	match   *Match     // there when ready says so, as is
	again   *Match     // that of the second look: other bugs
	ready   func() error
	first   []int // what the first version did in the match, where that was played beside the games
	state   learned
	job     *job          // what makes state.Making
	pinned  policy.Policy // plays in the learner's place meanwhile; nil: nobody plays meanwhile
	seconds stopwatch     // in which nobody played
	tests   float64       // of seconds: what tests took of these, in the phases of the boards' statistics
}

// learned is the state as stored.
type learned struct {
	Pending  []pending    `json:"pending"` // games since the last batch
	Replay   learn.Replay `json:"replay"`
	Current  int          `json:"current"` // the number of the version that plays
	Versions versions     `json:"versions"`
	Last     int          `json:"last,omitempty"`   // the last episode that the last batch was closed after
	Making   *making      `json:"making,omitempty"` // the next version, while games go on
}

// pending is a game to learn from, with what its breaker saw.
type pending struct {
	Episode int                    `json:"episode"`
	Fresh   bool                   `json:"fresh,omitempty"` // the breaker chose it
	Made    int                    `json:"made,omitempty"`  // mutations of its source that were made before
	Tried   map[string]int         `json:"tried,omitempty"`
	Known   map[string]arena.Yield `json:"known,omitempty"`
	Tries   bool                   `json:"tries,omitempty"` // its attempts wait, too
}

// beganWith is what the list of versions says of the first one.
const beganWith = "the run began with it"

// begin makes the first version, where nothing was learned yet, and saves it;
// else it restores the one that plays. The learner is shown the code in both cases.
func (g *Game) begin(ctx context.Context) error {
	l := g.learning
	resumed := len(l.state.Versions) > 0
	if resumed {
		current := l.state.Versions[l.state.Current].Name
		switch {
		case g.Store.HasVersion(l.state.Current):
			if err := g.Learner.Restore(ctx, g.Store.VersionDir(l.state.Current)); err != nil {
				return err
			}
		case l.state.Current > 0 || g.Learner.Version() != current:
			return fmt.Errorf("version %d of the run, %s, is not there to go on with: start a new run", l.state.Current, current)
		}
	}
	began := time.Now()
	defer func() { l.seconds.add(time.Since(began)) }()
	was := g.Learner.Version()
	if b, ok := g.Learner.(policy.Beginner); ok {
		var texts []policy.Text
		for _, h := range l.held {
			texts = append(texts, h.texts...)
		}
		if _, err := b.Begin(ctx, texts, func(done, of int) { g.Watch.Stage("warm start", fmt.Sprintf("%d of %d", done, of)) }); err != nil {
			return fmt.Errorf("warm start: %w", err)
		}
	}
	if resumed {
		return nil
	}
	l.state.Versions = versions{{Name: g.Learner.Version(), Episode: 1, Accepted: true, Gate: beganWith}}
	if was != g.Learner.Version() {
		if err := g.putVersion(ctx, 0); err != nil {
			return err
		}
	}
	return g.putVersions(ctx)
}

// putVersion keeps the learner's version. The first one is kept when it was made
// here, or when another one follows it.
func (g *Game) putVersion(ctx context.Context, n int) error {
	return g.Store.PutVersion(n, func(dir string) error { return g.Learner.Save(ctx, dir) })
}

// learnFrom takes in a round. When enough games were played a version is begun; one that was
// begun is gone on with when the games are over that may be played meanwhile.
func (g *Game) learnFrom(ctx context.Context, games []*game) error {
	l := g.learning
	if l == nil {
		return nil
	}
	for _, it := range games {
		if p, ok := g.pendingOf(it); ok {
			l.state.Pending = append(l.state.Pending, p)
		}
	}
	return g.still(func() error { return g.goOn(ctx) })
}

// still does something while nobody plays, and counts the time.
func (g *Game) still(do func() error) error {
	began, before := time.Now(), g.testSeconds()
	defer func() {
		g.learning.seconds.add(time.Since(began))
		g.learning.tests += g.testSeconds() - before
	}()
	return do()
}

// goOn goes on with the version that is ready, and begins one where it is time.
func (g *Game) goOn(ctx context.Context) error {
	l := g.learning
	if err := g.settle(ctx, g.next-1); err != nil {
		return err
	}
	if l.state.Making != nil || !learn.Due(g.next-1-l.state.Last, g.Config.Learn) || len(l.state.Pending) == 0 {
		return nil
	}
	if short, err := g.short(ctx); err != nil || short {
		return err
	}
	g.closeBatch()
	if err := g.startMaking(ctx); err != nil {
		return err
	}
	return g.settle(ctx, g.next-1)
}

// judged reports whether version n plays the match: every Judge-th does. Where the
// form of answers is paid for none does, since a match is about repairs.
func (g *Game) judged(n int) bool { return !g.formal() && n%max(1, g.Config.Judge) == 0 }

// pendingOf is what there is to learn from a game; false for one on held-out code.
func (g *Game) pendingOf(it *game) (pending, bool) {
	ep := it.episode
	p := pending{Episode: ep.Number}
	if g.learning.held[ep.Source].broken(ep) {
		return p, false
	}
	if it.chosen != nil && g.Breaker == policy.Policy(g.Learner) {
		p.Fresh, p.Made, p.Tried, p.Known = true, it.chosen.made, it.chosen.uses, it.chosen.known
	}
	p.Tries = len(ep.Attempts) > 0
	return p, p.Fresh || p.Tries
}

// broken reports whether an episode broke held-out code. Only a script is offered
// any; a breaker that writes its own edits can write them anywhere.
func (h *heldOut) broken(ep *store.Episode) bool {
	if h.hasLines(ep.Break.Path, ep.Break.Line, ep.Break.Line) {
		return true
	}
	spans, err := tree.ChangedSpans([]byte(ep.Break.Diff))
	return err != nil || slices.ContainsFunc(spans, func(s tree.Span) bool { return h.hasLines(s.Path, s.First, s.Last) })
}

// makeMatch makes the bugs that versions are compared on, those of the first look and as many
// of the second: the frozen breaker breaks held-out code.
func (g *Game) makeMatch(ctx context.Context) error {
	began := time.Now()
	in := func(board int, m mutate.Mutation) bool { return g.learning.held[board].has(m) }
	take := func() (release func()) { return g.slots.take(makingGame) }
	all, err := newMatch(ctx, g.Boards, g.Frozen, 2*learn.MatchBugs, matchSeed, in, take)
	if err != nil {
		return err
	}
	g.learning.match, g.learning.again = all.split(learn.MatchBugs)
	slog.Info("match made", "bugs", g.learning.match.Bugs(), "again", g.learning.again.Bugs(), "seconds", time.Since(began).Seconds())
	return nil
}

// prepareMatch makes the match and, where games go on, has the version that the run began with play it.
func (g *Game) prepareMatch(ctx context.Context) error {
	l := g.learning
	if err := g.makeMatch(ctx); err != nil {
		return err
	}
	if g.Config.Async == 0 || len(l.state.Versions) > 1 || l.match.Bugs() < learn.MatchLeast {
		return nil
	}
	solved, err := g.playMatch(ctx, l.match)
	l.first = solved
	return err
}

// playMatch has the learner play a match.
func (g *Game) playMatch(ctx context.Context, m *Match) ([]int, error) {
	began := time.Now()
	solved, err := m.Play(ctx, g.Learner, g.matchSteps(), g.Config.Workers)
	if err == nil {
		slog.Info("match played", "version", g.Learner.Version(), "solved", wins(solved), "seconds", time.Since(began).Seconds())
	}
	return solved, err
}

// matchSeed is the same in every run: versions of two runs play the same match.
const matchSeed = 1

// matchSteps are those of an attempt of the match: versions are compared at what they
// play, so that an attempt there has no more steps than one of a game.
func (g *Game) matchSteps() int { return min(learn.MatchSteps, g.Config.Steps) }

func scores(solved []int, steps int) []float64 {
	s := make([]float64, len(solved))
	for i, k := range solved {
		s[i] = learn.Score(k, steps)
	}
	return s
}

func wins(solved []int) int {
	n := 0
	for _, k := range solved {
		if k > 0 {
			n++
		}
	}
	return n
}

func share(solved []int) string {
	return fmt.Sprintf("%d of %d", wins(solved), len(solved))
}

// putVersions stores the list of versions for whoever shows the run.
func (g *Game) putVersions(ctx context.Context) error {
	var rows []store.Version
	for n := range g.learning.state.Versions {
		rows = append(rows, g.learning.state.Versions.row(n))
	}
	b, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return g.Store.PutMeta(ctx, store.MetaVersions, b)
}

// testSeconds is what tests took so far, on all boards.
func (g *Game) testSeconds() float64 {
	sum := 0.0
	for _, b := range g.Boards {
		for _, s := range b.Work.Stats().Seconds {
			sum += s
		}
	}
	return sum
}
