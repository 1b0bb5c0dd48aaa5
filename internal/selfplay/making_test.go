package selfplay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/reward"
	"breakfix/internal/store"
	"breakfix/internal/testrun"
)

// student breaks the first site that there is, and learns when it may.
type student struct {
	version int
	learn   func(version int) error
	mu      sync.Mutex
}

func (*student) Name() string  { return "student" }
func (*student) Learns() bool  { return true }
func (s *student) at() int     { s.mu.Lock(); defer s.mu.Unlock(); return s.version }
func (s *student) to(next int) { s.mu.Lock(); defer s.mu.Unlock(); s.version = next }

func (s *student) Version() policy.Version { return policy.Version(fmt.Sprint("v", s.at())) }

func (s *student) Break(_ context.Context, a arena.Break) (policy.Trajectory, error) {
	return policy.Trajectory{Version: s.Version(), Steps: 1, Form: outcome.FormNone}, a.Choose(a.Sites()[0])
}

func (*student) Fix(context.Context, arena.Fix) (policy.Trajectory, error) {
	return policy.Trajectory{}, errors.New("there is nothing to fix")
}

func (s *student) Pinned() (policy.Policy, error) { return &student{version: s.at()}, nil }

func (s *student) Learn(_ context.Context, scored []policy.Scored) (policy.Version, error) {
	if err := s.learn(s.at()); err != nil {
		return "", err
	}
	s.to(s.at() + 1)
	return s.Version(), nil
}

func (s *student) Save(_ context.Context, dir string) error {
	return os.WriteFile(filepath.Join(dir, "version"), []byte(fmt.Sprint(s.at())), 0o644)
}

func (s *student) Restore(_ context.Context, dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, "version"))
	if err != nil {
		return err
	}
	v := 0
	_, err = fmt.Sscan(string(b), &v)
	s.to(v)
	return err
}

// witness tells what was played.
type witness struct {
	mu      sync.Mutex
	games   []store.Episode
	notices []string
	played  func(n int)
}

func (*witness) Stage(string, string) {}

func (w *witness) Episode(ep store.Episode, _ Progress) {
	w.mu.Lock()
	w.games = append(w.games, ep)
	n := len(w.games)
	w.mu.Unlock()
	if w.played != nil {
		w.played(n)
	}
}

func (w *witness) Notice(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notices = append(w.notices, line)
}

// by is which version played each game.
func (w *witness) by() string {
	byEpisode := map[int]string{}
	for _, ep := range w.games {
		byEpisode[ep.Number] = ep.Break.Version
	}
	var all strings.Builder
	for n := 1; n <= len(byEpisode); n++ {
		all.WriteString(byEpisode[n][1:])
	}
	return all.String()
}

// classOf is a run of the student in dir, which is made, or gone on with. Only the form of what it hands in is judged.
func classOf(t *testing.T, dir string, s *student, w *witness, c Config) *Game {
	t.Helper()
	schema, err := reward.Lookup("form")
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Resume(dir)
	if err != nil {
		st, err = store.Create(dir, store.Run{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	b := boardOf(t, 40, "a + 1")
	b.Work.Base = &testrun.Baseline{}
	c.Seed, c.Group, c.Steps, c.Order, c.Workers = 1, 1, 1, 1, 2
	return &Game{Config: c, Boards: []*Board{b}, Breaker: s, Fixer: s, Learner: s, Schema: schema, Store: st, Watch: w}
}

// TestGamesGoOnWhileAVersionIsMade: each version is ready only when the games after its batch
// were played, by the version before.
func TestGamesGoOnWhileAVersionIsMade(t *testing.T) {
	ctx := t.Context()
	reached := map[int]chan struct{}{}
	for n := 8; n <= 32; n += 8 {
		reached[n] = make(chan struct{})
	}
	s := &student{}
	s.learn = func(v int) error { // after 8, 16 and 24 games
		if v == 3 {
			return nil // there are no more games than 32
		}
		select {
		case <-reached[8*(v+2)]:
			return nil
		case <-time.After(30 * time.Second):
			return errors.New("nobody plays while a version is made")
		}
	}
	w := &witness{played: func(n int) {
		if c := reached[n]; c != nil {
			close(c)
		}
	}}
	g := classOf(t, filepath.Join(t.TempDir(), "run"), s, w, Config{Episodes: 32, Learn: 8, Async: 8})
	ending, err := g.Play(ctx, ctx)
	if err != nil || ending != Played {
		t.Fatal(ending, err)
	}
	if got, want := w.by(), strings.Repeat("0", 16)+strings.Repeat("1", 8)+strings.Repeat("2", 8); got != want {
		t.Errorf("versions played %s, want %s", got, want)
	}
	if s.version != 4 || len(w.notices) != 4 {
		t.Errorf("at the end there is version %d: %q", s.version, w.notices)
	}
}

// TestAVersionThatWasCutOffIsMadeAgain: what comes of a run does not depend on whether it was
// cut off while a version was made.
func TestAVersionThatWasCutOffIsMadeAgain(t *testing.T) {
	ctx, dir := t.Context(), filepath.Join(t.TempDir(), "run")
	c := Config{Episodes: 48, Learn: 16, Async: 8}
	whole := &witness{}
	if _, err := classOf(t, filepath.Join(t.TempDir(), "whole"), &student{learn: func(int) error { return nil }}, whole, c).Play(ctx, ctx); err != nil {
		t.Fatal(err)
	}
	dying, kill := context.WithCancel(ctx)
	defer kill()
	begun, cut := make(chan struct{}), &witness{}
	cut.played = func(n int) {
		if n == 20 { // between the batch and its version
			<-begun
			kill()
		}
	}
	s := &student{learn: func(int) error { close(begun); <-dying.Done(); return dying.Err() }}
	first := classOf(t, dir, s, cut, c)
	if _, err := first.Play(dying, dying); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	first.Store.Close()
	cut.played = nil
	made := 0
	if _, err := classOf(t, dir, &student{learn: func(int) error { made++; return nil }}, cut, c).Play(ctx, ctx); err != nil {
		t.Fatal(err)
	}
	if got, want := cut.by(), whole.by(); got != want || made != 3 {
		t.Errorf("%d versions; they played %s in two sittings, %s in one", made, got, want)
	}
}

// apart learns its two roles apart.
type apart struct {
	*student
	batches [][]policy.Scored
}

func (*apart) Apart() bool { return true }

func (a *apart) Learn(ctx context.Context, scored []policy.Scored) (policy.Version, error) {
	a.batches = append(a.batches, scored)
	if len(scored) == 0 {
		return a.Version(), nil
	}
	return a.student.Learn(ctx, scored)
}

// TestWhatARefusedVersionLearnedOfBreaksIsKept, where the two roles learn apart: the version that
// plays learns from the breaks of the batch, repairs as before, and is no other for the league.
func TestWhatARefusedVersionLearnedOfBreaksIsKept(t *testing.T) {
	ctx := t.Context()
	breaks := []policy.Scored{{Role: arena.Breaker, Group: "source 0"}, {Role: arena.Breaker, Group: "source 1"}}
	before := func() made {
		return made{versions: versions{{Name: "v0", Accepted: true, Solved: solvedOf(20), Again: solvedOf(9)}, {Name: "v1", Solved: solvedOf(3)}}}
	}
	one := &student{learn: func(int) error { return nil }}
	a := &apart{student: one}
	g := classOf(t, filepath.Join(t.TempDir(), "run"), one, &witness{}, Config{})
	g.Learner, g.slots = a, newSlots(1)
	now, err := g.keepBreaks(ctx, breaks, before())
	if err != nil {
		t.Fatal(err)
	}
	if len(a.batches) != 1 || len(a.batches[0]) != 2 || a.batches[0][1].Group != "source 1" {
		t.Errorf("learned from %+v", a.batches)
	}
	v := now.versions[2]
	if now.current != 2 || !v.Accepted || v.Name != "v1" || wins(v.Solved) != 20 || wins(v.Again) != 9 || !g.Store.HasVersion(2) {
		t.Errorf("version %d plays, of %+v", now.current, now.versions)
	}
	if best := now.versions.best(8); best != 0 {
		t.Errorf("the next one is held against version %d", best)
	}
	if n := now.versions.compared(); n != 2 {
		t.Errorf("where the next one is refused version %d plays", n)
	}
	// Where too few held-out bugs are there for a match it is gone back to as well.
	now = before()
	now.versions[0].Solved, now.versions[0].Again = nil, nil
	one.to(0)
	if now, err = g.keepBreaks(ctx, breaks, now); err != nil || now.versions.compared() != 2 {
		t.Errorf("without a match version %d of %d plays, %v", now.versions.compared(), len(now.versions), err)
	}
	// A batch without breaks, and a learner whose roles are one, leave things as they are.
	for _, none := range []struct {
		learner policy.Learner
		breaks  []policy.Scored
	}{{a, nil}, {one, breaks}} {
		one.to(0)
		g.Learner = none.learner
		if now, err := g.keepBreaks(ctx, none.breaks, before()); err != nil || len(now.versions) != 2 || now.current != 0 {
			t.Errorf("version %d of %d plays, %v", now.current, len(now.versions), err)
		}
	}
}
