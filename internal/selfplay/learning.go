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
	"breakfix/internal/stat"
	"breakfix/internal/store"
	"breakfix/internal/tree"
)

// learning is what a run that learns keeps beside its games. Its state is stored
// with the curriculum's, between two rounds, so that a run that was cut off
// while it learned does so again from the same state.
type learning struct {
	held    []*heldOut // by board
	match   *Match     // made when the first version is judged
	state   learned
	seconds stopwatch
	tests   float64 // of seconds: what tests of matches took, in the phases of the boards' statistics
}

// learned is the state as stored.
type learned struct {
	Pending  []pending    `json:"pending"` // games since the last version
	Replay   learn.Replay `json:"replay"`
	Current  int          `json:"current"` // the number of the version that plays
	Versions []version    `json:"versions"`
	Looked   int          `json:"looked,omitempty"` // the last episode of the last batch that held nothing to learn from
}

// pending is a game to learn from, with what its breaker saw.
type pending struct {
	Episode int                    `json:"episode"`
	Fresh   bool                   `json:"fresh,omitempty"` // the breaker chose it
	Made    int                    `json:"made,omitempty"`  // mutations of its source that were made before
	Tried   map[string]int         `json:"tried,omitempty"`
	Known   map[string]arena.Yield `json:"known,omitempty"`
	Break   bool                   `json:"break,omitempty"` // its attempts were in a batch: the break alone waits
}

// version is a state of the weights: its number is its place in the list and
// the name of its folder.
type version struct {
	Name     policy.Version `json:"name"`
	Episode  int            `json:"episode"` // the first that it may play
	Accepted bool           `json:"accepted"`
	Gate     string         `json:"gate"`
	Solved   []int          `json:"solved"` // by bug of the match: the step that solved it, 0: none; null: not played
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
	l.state.Versions = []version{{Name: g.Learner.Version(), Episode: 1, Accepted: true, Gate: beganWith}}
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

// learnFrom takes in a round, and makes a version when enough games were played.
func (g *Game) learnFrom(ctx context.Context, games []*game) error {
	if g.learning == nil {
		return nil
	}
	for _, it := range games {
		if p, ok := g.pendingOf(it); ok {
			g.learning.state.Pending = append(g.learning.state.Pending, p)
		}
	}
	if !learn.Due(g.next-1-g.learning.last(), g.Config.Learn) || len(g.learning.state.Pending) == 0 {
		return nil
	}
	if short, err := g.short(ctx); err != nil || short {
		return err
	}
	began := time.Now()
	before := g.testSeconds()
	err := g.nextVersion(ctx)
	g.learning.seconds.add(time.Since(began))
	g.learning.tests += g.testSeconds() - before
	return err
}

// last is the last episode before the newest version, or of a batch since then
// that held nothing to learn from.
func (l *learning) last() int {
	return max(l.state.Looked, l.state.Versions[len(l.state.Versions)-1].Episode-1)
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
	return p, p.Fresh || len(ep.Attempts) > 0
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

// nextVersion learns from the games that wait and from some earlier ones, has the
// new version play the match, and goes on with it or with the one before.
func (g *Game) nextVersion(ctx context.Context) error {
	l := g.learning
	n := len(l.state.Versions)
	if l.match == nil && !g.formal() {
		if err := g.makeMatch(ctx); err != nil {
			return err
		}
	}
	current := &l.state.Versions[l.state.Current]
	if current.Solved == nil && (n == 1 || g.judged(n)) && !g.formal() && l.match.Bugs() >= learn.MatchLeast {
		solved, err := g.playMatch(ctx)
		if err != nil {
			return err
		}
		current.Solved = solved
	}
	matched := time.Now()
	batch, counts, err := g.batch(ctx)
	if err != nil {
		return err
	}
	if !g.Store.HasVersion(l.state.Current) {
		if err := g.putVersion(ctx, l.state.Current); err != nil {
			return err
		}
	}
	was := g.Learner.Version()
	now, err := g.Learner.Learn(ctx, batch)
	if err != nil {
		return fmt.Errorf("learn: %w", err)
	}
	slog.Info("learned", "version", now, "from", was, "trajectories", len(batch), "groups", counts.Groups, "flat", counts.Flat, "masked", counts.Masked, "seconds", time.Since(matched).Seconds())
	learned := l.state.Pending
	l.state.Pending = nil
	if now == was { // nothing to learn from
		l.state.Looked = g.next - 1
		return nil
	}
	if err := g.putVersion(ctx, n); err != nil {
		return err
	}
	v := version{Name: now, Episode: g.next}
	if err := g.judge(ctx, n, &v); err != nil {
		return err
	}
	l.state.Versions = append(l.state.Versions, v)
	word := "refused"
	if v.Accepted {
		word, l.state.Current = "accepted", n
	} else {
		l.state.Current = l.compared()
		if err := g.Learner.Restore(ctx, g.Store.VersionDir(l.state.Current)); err != nil {
			return err
		}
		l.state.Pending = breaksOf(learned)
	}
	row := l.row(n)
	if b, err := json.MarshalIndent(row, "", "  "); err != nil {
		return err
	} else if err := g.Store.PutGate(n, append(b, '\n')); err != nil {
		return err
	}
	solves := ""
	if v.Solved != nil {
		solves = "solves " + share(v.Solved) + " of held-out bugs; "
	}
	g.notice(fmt.Sprintf("version %d (%s) %s after episode %d: %s%s", n, v.Name, word, g.next-1, solves, v.Gate))
	return g.putVersions(ctx)
}

// judge says of version n whether it is adopted, and why.
func (g *Game) judge(ctx context.Context, n int, v *version) (err error) {
	l := g.learning
	switch {
	case g.formal():
		v.Accepted, v.Gate = true, "no match: the form of answers was paid for, and a match is about repairs"
	case !g.judged(n):
		v.Accepted, v.Gate = true, fmt.Sprintf("no match: one version in %d plays it", g.Config.Judge)
	case l.match.Bugs() >= learn.MatchLeast:
		if v.Solved, err = g.playMatch(ctx); err != nil {
			return err
		}
		d := learn.Judge(scores(v.Solved, g.matchSteps()), scores(l.best(g.matchSteps()), g.matchSteps()))
		v.Accepted, v.Gate = d.Accepted, d.String()
	default:
		v.Gate = learn.Decision{Bugs: l.match.Bugs()}.String()
	}
	return nil
}

// compared is the last accepted version that played the match: one that is refused
// tells against those since then, too. It is the version that plays where each is judged.
func (l *learning) compared() int {
	for n := len(l.state.Versions) - 1; n > 0; n-- {
		if v := l.state.Versions[n]; v.Accepted && v.Solved != nil {
			return n
		}
	}
	return 0
}

// breaksOf keeps the breaks of games that a refused version learned from: the version
// that plays chose them and has learned nothing from them, and the match is about
// repairs. Attempts come again by replay.
func breaksOf(games []pending) []pending {
	var kept []pending
	for _, p := range games {
		if p.Fresh {
			p.Break = true
			kept = append(kept, p)
		}
	}
	return kept[max(0, len(kept)-mostBreaks):]
}

// mostBreaks bounds how many wait where version after version is refused.
const mostBreaks = 256

// best is what the strongest of the league did in the match: compared with the
// version before alone, many small losses that each might be chance would add up.
func (l *learning) best(steps int) []int {
	var accepted []int
	for n, v := range l.state.Versions {
		if v.Accepted && v.Solved != nil {
			accepted = append(accepted, n)
		}
	}
	var best []int
	top := -1.0
	for _, n := range learn.League(accepted) {
		sum := 0.0
		for _, s := range scores(l.state.Versions[n].Solved, steps) {
			sum += s
		}
		if sum > top {
			best, top = l.state.Versions[n].Solved, sum
		}
	}
	return best
}

// makeMatch makes the bugs that versions are compared on: the frozen breaker breaks
// held-out code.
func (g *Game) makeMatch(ctx context.Context) (err error) {
	began := time.Now()
	in := func(board int, m mutate.Mutation) bool { return g.learning.held[board].has(m) }
	g.learning.match, err = NewMatch(ctx, g.Boards, g.Frozen, learn.MatchBugs, matchSeed, in)
	if err == nil {
		slog.Info("match made", "bugs", g.learning.match.Bugs(), "seconds", time.Since(began).Seconds())
	}
	return err
}

// playMatch has the learner play the match.
func (g *Game) playMatch(ctx context.Context) ([]int, error) {
	began := time.Now()
	solved, err := g.learning.match.Play(ctx, g.Learner, g.matchSteps(), g.Config.Workers)
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

// row is a version as the run lists it.
func (l *learning) row(n int) store.Version {
	v := l.state.Versions[n]
	row := store.Version{Version: string(v.Name), Episode: v.Episode, Accepted: &v.Accepted, Gate: v.Gate}
	if m := len(v.Solved); m > 0 {
		rate := float64(wins(v.Solved)) / float64(m)
		low, high := stat.Wilson(wins(v.Solved), m)
		row.SolveRate, row.Low, row.High = &rate, &low, &high
	}
	return row
}

// putVersions stores the list of versions for whoever shows the run.
func (g *Game) putVersions(ctx context.Context) error {
	var rows []store.Version
	for n := range g.learning.state.Versions {
		rows = append(rows, g.learning.row(n))
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
