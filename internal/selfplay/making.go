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
	"breakfix/internal/policy"
)

// making is a batch out of which a version is made, as stored: a run that is cut off
// meanwhile makes it again.
type making struct {
	Pending []pending   `json:"pending"` // games that were not learned from before
	Replay  []learn.Row `json:"replay"`  // earlier ones
	Until   int         `json:"until"`   // the last episode that is played with the version before
}

// made is what came of it: the versions as they are from then on.
type made struct {
	versions versions
	current  int
	learned  bool // false: there was nothing to learn from
}

// job is the work on a version.
type job struct {
	stop context.CancelFunc
	done chan struct{} // closed at its end
	made made
	err  error
}

// closeBatch makes a batch of the games that wait and of earlier ones.
func (g *Game) closeBatch() {
	s := &g.learning.state
	s.Making = &making{Pending: s.Pending, Replay: s.Replay.Draw(attemptSeed(g.Config.Seed, len(s.Versions))), Until: g.next - 1 + g.Config.Async}
	for _, p := range s.Pending {
		if p.Tries {
			s.Replay.Put(p.Episode)
		}
	}
	s.Last, s.Pending = g.next-1, nil
}

// startMaking begins to make the version of the batch that was closed. Where games go on
// meanwhile, the learner is left to it and the version as it is now plays in its place.
func (g *Game) startMaking(ctx context.Context) error {
	l := g.learning
	if g.next-1 < l.state.Making.Until {
		pinned, err := g.Learner.Pinned()
		if err != nil {
			return err
		}
		l.pinned = pinned
	}
	// Both grow at their ends while games go on.
	m, before := *l.state.Making, slices.Clone(g.made)
	now := made{slices.Clone(l.state.Versions), l.state.Current, false}
	ctx, stop := context.WithCancel(ctx)
	j := &job{stop: stop, done: make(chan struct{})}
	l.job = j
	go func() {
		defer close(j.done)
		j.err = guarded(func() (err error) {
			j.made, err = g.nextVersion(ctx, m, now, before)
			return err
		})
	}()
	return nil
}

// settle goes on with what is being made, where the games that may be played meanwhile
// are over after the given episode; it waits for what is not ready.
func (g *Game) settle(ctx context.Context, episode int) error {
	l := g.learning
	if l == nil || l.job == nil || episode < l.state.Making.Until {
		return nil
	}
	began := time.Now()
	<-l.job.done
	waited := time.Since(began)
	j, learned := l.job, l.state.Making.Pending
	g.abandon()
	if j.err != nil {
		return j.err
	}
	l.state.Making = nil
	if !j.made.learned {
		l.state.Versions = j.made.versions // what the one that plays did in the match
		return nil
	}
	n := len(l.state.Versions)
	l.state.Versions, l.state.Current = j.made.versions, j.made.current
	if last := l.state.Versions[len(l.state.Versions)-1]; !last.Accepted {
		l.state.Pending = append(breaksOf(learned), l.state.Pending...)
	}
	for ; n < len(l.state.Versions); n++ {
		if err := g.announce(n, waited); err != nil {
			return err
		}
	}
	return g.putVersions(ctx)
}

// announce tells of version n, which is new.
func (g *Game) announce(n int, waited time.Duration) error {
	l := g.learning
	v := &l.state.Versions[n]
	v.Episode = g.next
	word := "accepted"
	if !v.Accepted {
		word = "refused"
	}
	b, err := json.MarshalIndent(l.state.Versions.row(n), "", "  ")
	if err != nil {
		return err
	}
	if err := g.Store.PutGate(n, append(b, '\n')); err != nil {
		return err
	}
	solves := ""
	if v.Solved != nil {
		solves = "solves " + share(v.Solved) + " of held-out bugs; "
	}
	slog.Info("version "+word, "number", n, "version", v.Name, "waited", waited.Seconds())
	g.notice(fmt.Sprintf("version %d (%s) %s after episode %d: %s%s", n, v.Name, word, g.next-1, solves, v.Gate))
	return nil
}

// abandon ends the work on a version, whatever has come of it; the learner plays again.
func (g *Game) abandon() {
	if l := g.learning; l != nil && l.job != nil {
		l.job.stop()
		<-l.job.done
		l.job, l.pinned = nil, nil
	}
}

// playing is who plays for a player: where the learner makes a version, the one before.
func (g *Game) playing(p policy.Policy) policy.Policy {
	if g.learning != nil && g.learning.pinned != nil && p == policy.Policy(g.Learner) {
		return g.learning.pinned
	}
	return p
}

func (g *Game) breaker() policy.Policy { return g.playing(g.Breaker) }
func (g *Game) fixer() policy.Policy   { return g.playing(g.Fixer) }

// nextVersion learns from a batch and has the new version play the match. At its end
// the learner is that version, where it was accepted, else the one to go on from.
// It touches nothing of the game that changes between two rounds: the mutations that
// were made are those of its beginning.
func (g *Game) nextVersion(ctx context.Context, m making, now made, before [][]string) (made, error) {
	l := g.learning
	n := len(now.versions)
	if !g.formal() {
		if err := l.ready(); err != nil {
			return now, err
		}
	}
	current := &now.versions[now.current]
	if n == 1 && current.Solved == nil {
		current.Solved = l.first
	}
	if current.Solved == nil && (n == 1 || g.judged(n)) && !g.formal() && l.match.Bugs() >= learn.MatchLeast {
		solved, err := g.playMatch(ctx, l.match)
		if err != nil {
			return now, err
		}
		current.Solved = solved
	}
	breaks, name, err := g.learn(ctx, m, now.current, before)
	if err != nil || name == current.Name {
		return now, err
	}
	now.learned = true
	if err := g.putVersion(ctx, n); err != nil {
		return now, err
	}
	v := version{Name: name}
	if err := g.judge(ctx, n, &v, now.versions); err != nil {
		return now, err
	}
	now.versions = append(now.versions, v)
	if v.Accepted {
		now.current = n
		return now, nil
	}
	now.current = now.versions.compared()
	if err := g.Learner.Restore(ctx, g.Store.VersionDir(now.current)); err != nil {
		return now, err
	}
	return g.keepBreaks(ctx, breaks, now)
}

// keepBreaks has the learner, which is the version that a refused one made way for, learn from the
// breaks of the batch, where that leaves its repairs as they are: the match is about repairs.
func (g *Game) keepBreaks(ctx context.Context, breaks []policy.Scored, now made) (made, error) {
	if !policy.LearnsApart(g.Learner) {
		return now, nil
	}
	defer g.slots.take(makingGame)()
	was := now.versions[now.current]
	name, err := g.Learner.Learn(ctx, breaks)
	if err != nil {
		return now, fmt.Errorf("learn from breaks: %w", err)
	}
	if name == was.Name {
		return now, nil
	}
	n := len(now.versions)
	if err := g.putVersion(ctx, n); err != nil {
		return now, err
	}
	gate := fmt.Sprintf("no match: it repairs as version %d and learned from breaks alone", now.current)
	now.versions = append(now.versions, version{Name: name, Accepted: true, Gate: gate, Solved: was.Solved, Again: was.Again, Breaks: true})
	now.current = n
	return now, nil
}

// learn has the learner learn from a batch, and gives its breaks and the name of what the learner is
// then. The attempts take much memory and are let go of.
func (g *Game) learn(ctx context.Context, m making, current int, before [][]string) (breaks []policy.Scored, now policy.Version, err error) {
	if !policy.Waits(g.Learner) { // it computes here
		defer g.slots.take(makingGame)()
	}
	began := time.Now()
	batch, counts, err := g.batch(ctx, m, before)
	if err != nil {
		return nil, "", err
	}
	if !g.Store.HasVersion(current) {
		if err := g.putVersion(ctx, current); err != nil {
			return nil, "", err
		}
	}
	was := g.Learner.Version()
	now, err = g.Learner.Learn(ctx, batch)
	if err != nil {
		return nil, "", fmt.Errorf("learn: %w", err)
	}
	slog.Info("learned", "version", now, "from", was, "trajectories", len(batch), "groups", counts.Groups, "flat", counts.Flat, "masked", counts.Masked, "seconds", time.Since(began).Seconds())
	return slices.DeleteFunc(batch, func(s policy.Scored) bool { return s.Role != arena.Breaker }), now, nil
}

// makingGame stands for all the work on versions where games share slots.
const makingGame = 0

// judge says of version n whether it is adopted, and why.
func (g *Game) judge(ctx context.Context, n int, v *version, before versions) (err error) {
	l := g.learning
	switch {
	case g.formal():
		v.Accepted, v.Gate = true, "no match: the form of answers was paid for, and a match is about repairs"
	case !g.judged(n):
		v.Accepted, v.Gate = true, fmt.Sprintf("no match: one version in %d plays it", g.Config.Judge)
	case l.match.Bugs() >= learn.MatchLeast:
		if v.Solved, err = g.playMatch(ctx, l.match); err != nil {
			return err
		}
		var again func(int) ([]int, error)
		if l.again.Bugs() >= learn.MatchLeast {
			again = func(k int) ([]int, error) { return g.playAgain(ctx, k, n) }
		}
		return before.judge(v, g.matchSteps(), again)
	default:
		v.Gate = learn.Decision{Bugs: l.match.Bugs()}.String()
	}
	return nil
}

// playAgain has version k play the match of the second look; n is what the learner is before and after.
func (g *Game) playAgain(ctx context.Context, k, n int) ([]int, error) {
	if k == n {
		return g.playMatch(ctx, g.learning.again)
	}
	if err := g.Learner.Restore(ctx, g.Store.VersionDir(k)); err != nil {
		return nil, err
	}
	solved, err := g.playMatch(ctx, g.learning.again)
	if err != nil {
		return nil, err
	}
	return solved, g.Learner.Restore(ctx, g.Store.VersionDir(n))
}

// breaksOf keeps the breaks of games that a refused version learned from: the version
// that plays chose them and has learned nothing from them, and the match is about
// repairs. Attempts come again by replay.
func breaksOf(games []pending) []pending {
	var kept []pending
	for _, p := range games {
		if p.Fresh {
			p.Tries = false
			kept = append(kept, p)
		}
	}
	return kept[max(0, len(kept)-mostBreaks):]
}

// mostBreaks bounds how many wait where version after version is refused.
const mostBreaks = 256
