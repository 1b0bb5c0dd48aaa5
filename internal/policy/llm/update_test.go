package llm

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
	"breakfix/internal/learn"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/store"
)

// pupil is a policy of the conformance server's model, with what it told of its
// updates and asked of the server.
type pupil struct {
	*Policy
	model  *heard
	server *enginetest.Started
}

// heard is a model that writes down which losses it was asked for.
type heard struct {
	*trained
	losses  []string
	configs []map[string]float64
}

type trained = engine.Model

func (h *heard) ForwardBackward(ctx context.Context, data []engine.Datum, loss string, config map[string]float64) ([][]float32, map[string]float64, error) {
	h.losses, h.configs = append(h.losses, loss), append(h.configs, config)
	return h.trained.ForwardBackward(ctx, data, loss, config)
}

func serve(t *testing.T) *enginetest.Started {
	t.Helper()
	s, err := enginetest.Start(enginetest.Options{Corpus: novice()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func newPupil(t *testing.T, s *enginetest.Started, l Learning) *pupil {
	t.Helper()
	if l.Rate == 0 {
		l.Rate = 1e-2
	}
	// It gives up soon.
	quick := engine.Patience{Request: 50 * time.Millisecond, First: time.Millisecond, Poll: time.Millisecond}
	model, err := engine.OpenTrainer(t.Context(), s.URL, engine.Options{Patience: quick}, engine.ModelOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { model.Close() })
	m := &heard{trained: model}
	return &pupil{newPolicy(t, m, Options{Protocol: Text, Brief: true, Moves: 3, Answer: 6, Context: 2000, Learning: l}), m, s}
}

// plays are games of the fixer, each with a seed of its own.
func (p *pupil) plays(t *testing.T, seeds ...uint64) (all []policy.Trajectory) {
	t.Helper()
	b, m := brokenClamp()
	for _, seed := range seeds {
		a, err := arena.NewFix(m, b, m.broken, arena.FixOptions{Seed: seed, Steps: 2})
		if err != nil {
			t.Fatal(err)
		}
		played, err := p.Fix(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, played)
	}
	return all
}

// worth gives trajectories their advantages, in turn.
func worth(played []policy.Trajectory, advantages ...float64) (all []policy.Scored) {
	for i, tr := range played {
		all = append(all, policy.Scored{Role: arena.Fixer, Trajectory: tr, Group: "g", Advantage: advantages[i%len(advantages)]})
	}
	return all
}

// learns makes an update and returns what the log says of it.
func (p *pupil) learns(t *testing.T, scored []policy.Scored) (policy.Version, Update) {
	t.Helper()
	log := &updateLog{Handler: slog.Default().Handler()}
	was := slog.Default()
	slog.SetDefault(slog.New(log))
	defer slog.SetDefault(was)
	v, err := p.Learn(t.Context(), scored)
	if err != nil {
		t.Fatal(err)
	}
	return v, log.last
}

// updateLog is a log that keeps what updates say of themselves.
type updateLog struct {
	slog.Handler
	last Update
}

func (u *updateLog) Enabled(context.Context, slog.Level) bool { return true }

func (u *updateLog) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "update":
			u.last = a.Value.Any().(Update)
		case "flat":
			u.last.Flat = int(a.Value.Int64())
		case "stale":
			u.last.Stale = int(a.Value.Int64())
		case "used":
			u.last.Used = int(a.Value.Int64())
		}
		return true
	})
	return nil
}

// said are the model's log-probabilities of what was sampled in games, as they are now.
func (p *pupil) said(t *testing.T, played []policy.Trajectory) (all []float64) {
	t.Helper()
	for _, tr := range played {
		data, err := unpacked(t, tr.Data).Data(1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.model.Forward(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range data {
			for k, w := range d.Weights {
				if w > 0 {
					all = append(all, float64(got[i][k]))
				}
			}
		}
	}
	return all
}

func alike(a, b []float64) bool { return cmp.Equal(a, b, cmpopts.EquateApprox(0, 1e-5)) }

func TestWhatSaysNothingIsLeftOutAndCounted(t *testing.T) {
	p := newPupil(t, serve(t), Learning{})
	played := p.plays(t, 1, 2, 3, 4, 5, 6)
	before := p.server.Digest(p.model.ID())
	flat := worth(played[:2], 0)
	v, u := p.learns(t, flat)
	if v != "0" || p.Version() != "0" || u.Flat != 2 || p.server.Digest(p.model.ID()) != before {
		t.Errorf("nothing but a flat group makes version %s: %+v", v, u)
	}
	used := worth(played[4:5], 1)
	used[0].Uses = 1
	theirs := worth([]policy.Trajectory{{Version: "0", Data: []byte(`{"mutation": "m"}`)}}, 1)
	v, u = p.learns(t, slices.Concat(flat, worth(played[2:4], 0.5, -0.5), used, theirs))
	if u.Games != 2 || u.Flat != 2 || u.Used != 1 || u.Stale != 0 || string(v) != u.Version || p.Version() != v || v == "0" {
		t.Errorf("version %s of %+v", v, u)
	}
	// The same update without what was left out is the same version and the same weights.
	alone := newPupil(t, serve(t), Learning{})
	again, u := alone.learns(t, worth(alone.plays(t, 3, 4), 0.5, -0.5))
	if again != v || u.Flat != 0 || !alike(p.said(t, played), alone.said(t, played)) {
		t.Errorf("version %s, and without what says nothing %s: %+v", v, again, u)
	}
}

func TestOldGamesAreTrainedByPPOAndOlderOnesNot(t *testing.T) {
	p := newPupil(t, serve(t), Learning{Stale: 2})
	played := p.plays(t, 1, 2, 3, 4, 5, 6, 7, 8)
	var versions []policy.Version
	for i, want := range []struct {
		loss         string
		games, stale int
	}{{"importance_sampling", 2, 0}, {"ppo", 2, 0}, {"ppo", 2, 0}, {"", 0, 2}} {
		v, u := p.learns(t, worth(played[2*i:2*i+2], 1, -1))
		if u.Loss != want.loss || u.Games != want.games || u.Stale != want.stale {
			t.Errorf("games of %d updates ago: %+v, want %+v", i, u, want)
		}
		versions = append(versions, v)
	}
	if d := cmp.Diff([]string{"importance_sampling", "ppo", "ppo"}, p.model.losses); d != "" {
		t.Errorf("what the server was asked for:\n%s", d)
	}
	if c := p.model.configs[1]; c["clip_low_threshold"] != 0.8 || c["clip_high_threshold"] != 1.28 {
		t.Errorf("the bounds of ppo are %v", c)
	}
	if versions[3] != versions[2] || versions[0] == versions[1] || versions[1] == versions[2] {
		t.Errorf("versions are %v", versions)
	}
	// Of the same batch the newest decide nothing: one old game makes it ppo.
	mixed := append(p.plays(t, 9), played[6])
	mixed[1].Version = versions[1]
	if _, u := p.learns(t, worth(mixed, 1, -1)); u.Loss != "ppo" || u.Games != 2 {
		t.Errorf("a mixed batch: %+v", u)
	}
	// Games of a version that is not before this one are another line's.
	mixed[0].Version = "u9-00000000"
	if _, u := p.learns(t, worth(mixed[:1], 1)); u.Games != 0 || u.Stale != 1 {
		t.Errorf("a game of the future: %+v", u)
	}
}

func TestATokenThatTheTrainerThinksFarLikelierCountsTwiceAtMost(t *testing.T) {
	s := serve(t)
	// What the sampler is said to have said of the first game is an eighth of what it said.
	doubt := func(played []policy.Trajectory) []policy.Trajectory {
		play := unpacked(t, played[0].Data)
		for _, turn := range play.Turns {
			for i := range turn.LogProbs {
				turn.LogProbs[i] -= float32(math.Log(8))
			}
		}
		data, err := pack(play, nil)
		if err != nil {
			t.Fatal(err)
		}
		out := slices.Clone(played)
		out[0].Data = data
		return out
	}
	after := func(l Learning, advantage float64) ([]float64, Update) {
		p := newPupil(t, s, l)
		played := p.plays(t, 1, 2)
		_, u := p.learns(t, worth(doubt(played), advantage, 1))
		return p.said(t, played), u
	}
	got, u := after(Learning{}, 1)
	quarter, _ := after(Learning{Truncate: 1e9}, 0.25)
	whole, free := after(Learning{Truncate: 1e9}, 1)
	if !alike(got, quarter) || alike(got, whole) {
		t.Errorf("truncated %.4v\nat a quarter of the advantage %.4v\nwithout a bound %.4v", got, quarter, whole)
	}
	if u.Truncated == 0 || u.Truncated >= u.Tokens || math.Abs(u.Ratio-8) > 0.01 || free.Truncated != 0 {
		t.Errorf("%+v, and without a bound %+v", u, free)
	}
	if want := -math.Log(8) * float64(u.Truncated) / float64(u.Tokens); math.Abs(u.Mismatch-want) > 1e-3 {
		t.Errorf("a mismatch of %v, want %v", u.Mismatch, want)
	}
	honest := newPupil(t, s, Learning{})
	if _, u := honest.learns(t, worth(honest.plays(t, 1, 2), 1, -1)); u.Truncated != 0 || math.Abs(u.Mismatch) > 1e-4 || math.Abs(u.Ratio-1) > 1e-3 {
		t.Errorf("of what was sampled: %+v", u)
	}
}

func TestASavedVersionGoesOnInAnotherProcessAndAfterTheServersRestart(t *testing.T) {
	s := serve(t)
	p := newPupil(t, s, Learning{})
	first := p.plays(t, 1, 2, 3, 4)
	p.learns(t, worth(first, 1, -1))
	dir := t.TempDir()
	if err := p.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	version, thinks := p.Version(), p.said(t, first)
	second := p.plays(t, 5, 6)
	next, _ := p.learns(t, worth(second, 1, -1))
	later := p.said(t, first)
	if next == version || alike(thinks, later) {
		t.Fatal("the second update changed nothing: this test tells nothing")
	}

	// Back in the same process, as when a version is refused.
	if err := p.Restore(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if p.Version() != version || !alike(thinks, p.said(t, first)) {
		t.Errorf("restored %s, want %s; %v\nwas %v", p.Version(), version, p.said(t, first), thinks)
	}
	// In another process, on a server that lost everything but its checkpoints.
	s.Restart()
	o := newPupil(t, s, Learning{})
	if alike(thinks, o.said(t, first)) {
		t.Fatal("a new model thinks as one that learned: this test tells nothing")
	}
	if err := o.Restore(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if o.Version() != version || !alike(thinks, o.said(t, first)) {
		t.Errorf("another process restored %s, want %s", o.Version(), version)
	}
	again := o.plays(t, 5, 6)
	for i := range again {
		was, is := unpacked(t, second[i].Data), unpacked(t, again[i].Data)
		for k := range was.Turns {
			if !slices.Equal(was.Turns[k].Tokens, is.Turns[k].Tokens) || !slices.Equal(was.Turns[k].LogProbs, is.Turns[k].LogProbs) {
				t.Errorf("game %d, answer %d: %v with %v, want %v with %v", i, k, is.Turns[k].Tokens, is.Turns[k].LogProbs, was.Turns[k].Tokens, was.Turns[k].LogProbs)
			}
		}
	}
	// The optimiser goes on, too: the next version is the next version.
	if v, _ := o.learns(t, worth(again, 1, -1)); v != next || !alike(later, o.said(t, first)) {
		t.Errorf("the version after is %s, want %s", v, next)
	}

	for what, write := range map[string]string{"no folder of a version": "", "another model's": `{"updates": 1, "version": "u1-1", "model": "other", "saved": "tinker://x/weights/y"}`,
		"a checkpoint that is gone": `{"updates": 1, "version": "u1-1", "model": "breakfix/sim", "saved": "tinker://x/weights/y"}`} {
		bad := t.TempDir()
		if write != "" {
			if err := os.WriteFile(bad+"/"+checkpointFile, []byte(write), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.Restore(t.Context(), bad); err == nil {
			t.Errorf("%s is restored", what)
		}
	}
}

func TestAFaultOfOursIsNoGameAndIsNotLearnedFrom(t *testing.T) {
	p := newPupil(t, serve(t), Learning{})
	played := p.plays(t, 1, 2, 3)
	// The server fails for longer than the client tries.
	for _, f := range []enginetest.Fault{{Route: "asample", What: "402"}, {Route: "asample", What: "500"}, {Route: "retrieve_future", What: enginetest.NaN}, {Route: "retrieve_future", What: enginetest.Few}} {
		f.Times = 1 << 20
		p.server.Inject(f)
		a := fixArena(t, 2)
		got, err := p.Fix(t.Context(), a)
		if err == nil || engine.KindOf(err) == "" {
			t.Errorf("%s: the game ends as %s, %v", f.What, got.Data, err)
		}
		p.server.Mend()
	}
	episode := func(outcomes ...outcome.Attempt) store.Episode {
		e := store.Episode{Number: 1, Kind: store.KindFresh, Schema: "shared", Break: store.Break{Outcome: outcome.Valid, Weight: 1, Order: 1}}
		for i, o := range outcomes {
			e.Attempts = append(e.Attempts, store.Attempt{Number: i + 1, Outcome: o, Version: string(played[i].Version), Data: played[i].Data})
		}
		return e
	}
	entries := func(e store.Episode) (all []policy.Scored) {
		rows, _, err := learn.Fixes([]store.Episode{e})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			a := e.Attempts[r.Attempt-1]
			all = append(all, policy.Scored{Role: r.Role, Group: r.Group, Advantage: r.Advantage, Trajectory: policy.Trajectory{Version: policy.Version(a.Version), Data: a.Data}})
		}
		return all
	}
	with, _ := newPupil(t, serve(t), Learning{}).learns(t, entries(episode(outcome.Fixed, outcome.Wrong, outcome.Infrastructure)))
	without, u := newPupil(t, serve(t), Learning{}).learns(t, entries(episode(outcome.Fixed, outcome.Wrong)))
	if with != without || u.Games != 2 {
		t.Errorf("with the fault %s, without %s: %+v", with, without, u)
	}
	if other, _ := newPupil(t, serve(t), Learning{}).learns(t, entries(episode(outcome.Fixed, outcome.Wrong, outcome.Wrong))); other == with {
		t.Error("versions do not tell batches apart: this test tells nothing")
	}
}

// TestAnUpdateThatFailsLeavesTheVersion: what was sent of it is not in the next one.
func TestAnUpdateThatFailsLeavesTheVersion(t *testing.T) {
	s := serve(t)
	p, q := newPupil(t, s, Learning{Batch: 1}), newPupil(t, s, Learning{Batch: 1})
	played := p.plays(t, 1, 2, 3, 4)
	before := p.said(t, played)
	for _, fault := range []enginetest.Fault{
		{Route: "forward_backward", What: "402", Nth: 2},
		{Route: "forward_backward", What: "500", Nth: 2},
		{Route: "optim_step", What: "402"},
		{Route: "optim_step", What: "503", Taken: true},
		{Route: "save_weights_for_sampler", What: "402"},
	} {
		fault.Times = 1 << 20
		s.Inject(fault)
		v, err := p.Learn(t.Context(), worth(played[:2], 1, -1))
		if err == nil {
			t.Errorf("%s: version %s is made", fmt.Sprint(fault), v)
		}
		s.Mend()
		if p.Version() != "0" || !alike(before, p.said(t, played)) {
			t.Errorf("%s: version %s is not what it was", fmt.Sprint(fault), p.Version())
		}
	}
	v, _ := p.learns(t, worth(played[2:], 1, -1))
	want, _ := q.learns(t, worth(q.plays(t, 3, 4), 1, -1))
	if v != want || !alike(p.said(t, played), q.said(t, played)) {
		t.Errorf("the update after is %s and %v\nwant %s and %v", v, p.said(t, played), want, q.said(t, played))
	}
}

// TestPaddingChangesNothing: requests of one size, the last one padded, make the version
// that one request makes, and what is measured of it is the same.
func TestPaddingChangesNothing(t *testing.T) {
	s := serve(t)
	after := func(l Learning, n int) ([]float64, Update) {
		p := newPupil(t, s, l)
		played := p.plays(t, 1, 2, 3, 4, 5)[:n]
		_, u := p.learns(t, worth(played, 1, -1, 0.5, 0.25, -0.75))
		return p.said(t, played), u
	}
	for _, n := range []int{3, 5} {
		want, one := after(Learning{}, n)
		got, u := after(Learning{Batch: 4}, n)
		if !alike(got, want) {
			t.Errorf("%d games: %.4v\nwithout padding %.4v", n, got, want)
		}
		if u.Sequences != one.Sequences || u.Tokens != one.Tokens || math.Abs(u.Mismatch-one.Mismatch) > 1e-9 {
			t.Errorf("%d games: %+v\nwithout padding %+v", n, u, one)
		}
	}
	for _, c := range []struct{ n, size, want int }{{0, 8, 0}, {8, 8, 8}, {9, 8, 16}, {9, 0, 9}} {
		got := padded(make([]engine.Datum, c.n, c.n+1), c.size)
		if len(got) != c.want {
			t.Errorf("%d sequences are padded to %d, want %d", c.n, len(got), c.want)
		}
	}
}
