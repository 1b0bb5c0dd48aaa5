package selfplay

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/curriculum"
	"breakfix/internal/grade"
	"breakfix/internal/outcome"
	"breakfix/internal/store"
	"breakfix/internal/testrun"
)

// saved is the state between two rounds, as stored: all that the next round
// is drawn from.
type saved struct {
	Curriculum json.RawMessage          `json:"curriculum"`
	Tried      [][]string               `json:"tried"` // by source: ids of the mutations that were made, in that order
	Uses       []map[string]int         `json:"uses"`  // by source: breaks by operator
	Yields     []map[string]arena.Yield `json:"yields"`
	Known      []string                 `json:"known"` // ids of valid bugs
	Rounds     []curriculum.Round       `json:"rounds"`
	Next       int                      `json:"next"` // number of the first episode of the next round
	Learned    *learned                 `json:"learned,omitempty"`
}

// resume takes up the run where its folder left it; a new folder is a run
// with nothing in it.
func (g *Game) resume(ctx context.Context) error {
	cfg := curriculum.Config{Seed: g.Config.Seed, Sources: len(g.Boards), OrderCap: g.Config.Order, Fresh: g.Config.Fresh || g.formal()}
	g.curriculum = curriculum.New(cfg)
	g.known = &bug.Known{}
	g.gradings = grade.NewCache()
	g.slots = newSlots(testrun.AtOnce(g.Config.Workers))
	g.next = 1
	g.tried, g.made, g.uses, g.yields = nil, make([][]string, len(g.Boards)), nil, nil
	g.learning = nil
	if g.Learner != nil && g.Config.Learn > 0 {
		g.learning = &learning{}
		for _, b := range g.Boards {
			h, err := holdOut(b)
			if err != nil {
				return err
			}
			g.learning.held = append(g.learning.held, h)
		}
	}
	for _, b := range g.Boards {
		b.began = b.Work.Stats()
		g.tried = append(g.tried, map[string]bool{})
		g.uses = append(g.uses, map[string]int{})
		g.yields = append(g.yields, map[string]arena.Yield{})
	}
	if err := g.storeBaselines(ctx); err != nil {
		return err
	}
	if err := g.restore(ctx, cfg); err != nil {
		return err
	}
	if g.learning != nil {
		if err := g.begin(ctx); err != nil {
			return err
		}
		g.learning.ready = sync.OnceValue(func() error { return guarded(func() error { return g.prepareMatch(ctx) }) })
		if g.Config.Async > 0 && !g.formal() { // nobody is to wait for it
			g.beside.Go(func() { g.learning.ready() })
		}
		if g.learning.state.Making != nil {
			if err := g.startMaking(ctx); err != nil {
				return err
			}
		}
	}
	g.tally = newTally(g.Config.Episodes)
	g.stored = map[int]*store.Episode{}
	g.steps = 0
	for ep, err := range g.Store.Episodes(ctx) {
		if err != nil {
			return err
		}
		g.tally.add(ep)
		if ep.Number >= g.next {
			g.stored[ep.Number] = &ep
			continue
		}
		g.steps += stepsOf(ep)
	}
	totals, _, err := g.Store.Totals(ctx)
	if err != nil {
		return err
	}
	g.before = totals
	return nil
}

func (g *Game) restore(ctx context.Context, cfg curriculum.Config) error {
	raw, err := g.Store.State(ctx)
	if err != nil || len(raw) == 0 {
		return err
	}
	var s saved
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("read the state of the run: %w; start a new run", err)
	}
	if g.curriculum, err = curriculum.Restore(cfg, s.Curriculum); err != nil {
		return err
	}
	g.next, g.rounds = s.Next, s.Rounds
	if g.learning != nil && s.Learned != nil {
		g.learning.state = *s.Learned
		if n := len(s.Learned.Versions); n > 0 && s.Learned.Last == 0 { // of a run from before Last was kept
			g.learning.state.Last = s.Learned.Versions[n-1].Episode - 1
		}
	}
	for i := range g.Boards {
		if i < len(s.Tried) {
			g.made[i] = s.Tried[i]
			for _, id := range s.Tried[i] {
				g.tried[i][id] = true
			}
		}
		if i < len(s.Uses) {
			for op, n := range s.Uses[i] {
				g.uses[i][op] = n
			}
		}
		if i < len(s.Yields) {
			for op, y := range s.Yields[i] {
				g.yields[i][op] = y
			}
		}
	}
	for _, id := range s.Known {
		b, err := bug.Load(g.Store.BugDir(id))
		if err != nil {
			return err
		}
		g.know(b)
	}
	return nil
}

// know remembers a valid bug, so that no later break is the same one.
func (g *Game) know(b *bug.Bug) {
	g.known.Add(b)
	g.knownIDs = append(g.knownIDs, b.ID)
	if b.Order > g.reached {
		g.reached = b.Order
	}
}

// saveState stores the state from which the next round is drawn.
func (g *Game) saveState(ctx context.Context) error {
	state, err := g.curriculum.State()
	if err != nil {
		return err
	}
	s := saved{Curriculum: state, Uses: g.uses, Yields: g.yields, Known: g.knownIDs, Rounds: g.rounds, Next: g.next}
	s.Tried = g.made
	if g.learning != nil {
		s.Learned = &g.learning.state
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return g.Store.PutState(ctx, raw)
}

// storeBaselines keeps the measured truth of each source, once.
func (g *Game) storeBaselines(ctx context.Context) error {
	have, err := g.Store.BaselineSources(ctx)
	if err != nil {
		return err
	}
	there := map[int]bool{}
	for _, i := range have {
		there[i] = true
	}
	for i, b := range g.Boards {
		if there[i] {
			continue
		}
		if err := g.Store.PutBaseline(ctx, i, b.Work.Base.Results); err != nil {
			return err
		}
	}
	return nil
}

// saveTotals stores what the whole run has cost so far, earlier sittings
// included.
func (g *Game) saveTotals(ctx context.Context, started time.Time) error {
	t := store.Totals{Seconds: map[string]float64{}, Verdicts: &store.VerdictCounts{}, PeakMemory: max(g.before.PeakMemory, store.PeakMemory())}
	for k, v := range g.before.Seconds {
		t.Seconds[k] = v
	}
	if g.before.Verdicts != nil {
		*t.Verdicts = *g.before.Verdicts
		t.Verdicts.Tiers = maps.Clone(g.before.Verdicts.Tiers)
	}
	for k, v := range g.Prepared {
		t.Seconds[k] += v
		t.Seconds["total"] += v
	}
	t.Seconds["total"] += time.Since(started).Seconds()
	// How long a person waits for the first bug, the installation of the environment apart.
	if _, known := t.Seconds[store.FirstBug]; !known && g.firstBug.Load() > 0 {
		t.Seconds[store.FirstBug] = g.Prepared["baseline"] + time.Duration(g.firstBug.Load()).Seconds()
	}
	for _, b := range g.Boards {
		s := b.Work.Stats()
		t.Verdicts.Run += s.Run - b.began.Run
		t.Verdicts.Cached += s.Cached - b.began.Cached
		t.Verdicts.Assumed += s.Assumed - b.began.Assumed
		t.Verdicts.Audited += s.Audited - b.began.Audited
		t.Verdicts.Lost += s.Lost - b.began.Lost
		t.Verdicts.Mismatch += s.Mismatch - b.began.Mismatch
		for tier, n := range s.Tiers {
			if t.Verdicts.Tiers == nil {
				t.Verdicts.Tiers = map[string]int{}
			}
			t.Verdicts.Tiers[tier] += n - b.began.Tiers[tier]
		}
		for phase, v := range s.Seconds {
			t.Seconds["tests"] += (v - b.began.Seconds[phase]) / float64(max(1, g.Config.Workers))
		}
	}
	learned := 0.0
	if g.learning != nil {
		learned = g.learning.seconds.Seconds()
		t.Seconds["learn"] += learned
		t.Seconds["tests"] -= g.learning.tests / float64(max(1, g.Config.Workers))
	}
	t.Seconds["policy"] += g.thinking.Seconds() / float64(max(1, g.Config.Workers))
	// Tests and players work side by side, in more processes than there are
	// workers: what they took together is shared out over the time that passed.
	left := t.Seconds["total"] - t.Seconds["prepare"] - t.Seconds["baseline"] - t.Seconds["learn"]
	if busy := t.Seconds["tests"] + t.Seconds["policy"]; busy > left && busy > 0 {
		t.Seconds["tests"] *= left / busy
		t.Seconds["policy"] *= left / busy
	}
	t.Seconds["other"] = max(0, left-t.Seconds["tests"]-t.Seconds["policy"])
	return g.Store.PutTotals(ctx, t)
}

// measure adds to what a person sees how fast tests are judged.
func (g *Game) measure(now *Progress) {
	run, cached := 0, 0
	for _, b := range g.Boards {
		s := b.Work.Stats()
		run += s.Run - b.began.Run
		cached += s.Cached - b.began.Cached
	}
	if sec := now.Elapsed.Seconds(); sec > 0 {
		now.TestsPerSec = float64(run+cached) / sec
	}
	if run+cached > 0 {
		now.CachedShare = float64(cached) / float64(run+cached)
	}
	now.Version = string(g.fixer().Version())
	now.Waiting = g.curriculum.WaitingByOrder()
	if now.Of > 0 && g.fresh > 0 {
		now.Left = time.Duration(float64(now.Elapsed) / float64(g.fresh) * float64(now.Of-now.Episodes))
	}
}

// remember takes in what a stored episode means for later rounds.
func (g *Game) remember(it *game) error {
	ep := it.episode
	if ep.Kind == store.KindFresh && ep.Break.Check != outcome.CheckForm {
		for _, op := range ep.Break.Operators {
			y := g.yields[ep.Source][op]
			y.Made++
			if ep.Break.Outcome == outcome.Valid {
				y.Valid++
			}
			g.yields[ep.Source][op] = y
		}
	}
	if ep.Kind == store.KindReplay || ep.Break.Outcome != outcome.Valid {
		return nil
	}
	b, err := bug.Load(g.Store.BugDir(ep.Break.Bug))
	if err != nil {
		return err
	}
	if before := g.reached; b.Order > before && b.Order > 1 {
		g.notice(fmt.Sprintf("order %d reached: bug %s of episode %d", b.Order, b.ID, ep.Number))
	}
	g.know(b)
	return nil
}

// stopwatch adds up the time that players think, over all workers.
type stopwatch struct {
	mu    sync.Mutex
	total time.Duration
}

func (s *stopwatch) add(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total += d
}

// Seconds is what was added so far.
func (s *stopwatch) Seconds() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total.Seconds()
}
