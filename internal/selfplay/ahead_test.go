package selfplay

import (
	"context"
	"sync"
	"testing"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/curriculum"
	"breakfix/internal/policy"
	"breakfix/internal/store"
)

// meeting is a breaker that goes on when as many breaks are under way as were asked for.
type meeting struct {
	waits bool
	of    int

	mu       sync.Mutex
	under    int
	together chan struct{}
}

func (*meeting) Name() string            { return "meeting" }
func (*meeting) Version() policy.Version { return "1" }
func (m *meeting) Waits() bool           { return m.waits }

func (m *meeting) Break(ctx context.Context, a arena.Break) (policy.Trajectory, error) {
	m.mu.Lock()
	if m.under++; m.under == m.of {
		close(m.together)
	}
	m.mu.Unlock()
	if m.waits {
		select {
		case <-m.together:
		case <-time.After(30 * time.Second):
		}
	} else {
		defer func() { m.mu.Lock(); m.under--; m.mu.Unlock() }()
	}
	return policy.Trajectory{Version: "1"}, a.Choose(a.Sites()[0])
}

func (*meeting) Fix(context.Context, arena.Fix) (policy.Trajectory, error) {
	return policy.Trajectory{}, nil
}

func TestBreakersThatWaitChooseARoundTogetherAndOthersOneAfterAnother(t *testing.T) {
	for _, waits := range []bool{true, false} {
		b := boardOf(t, 10, "a + 1")
		m := &meeting{waits: waits, of: 3, together: make(chan struct{})}
		g := &Game{Config: Config{Workers: 3, Episodes: 3, Group: 1, Steps: 1, Fresh: true}, Boards: []*Board{b}, Breaker: m, next: 1,
			curriculum: curriculum.New(curriculum.Config{Seed: 1, Sources: 1, OrderCap: 1, Fresh: true}),
			tried:      []map[string]bool{{}}, made: make([][]string, 1), uses: []map[string]int{{}}, yields: []map[string]arena.Yield{{}},
			stored: map[int]*store.Episode{}}
		games, err := g.draw(context.Background())
		if err != nil || len(games) != 3 {
			t.Fatalf("%d games: %v", len(games), err)
		}
		met := false
		select {
		case <-m.together:
			met = true
		default:
		}
		if met != waits {
			t.Errorf("a breaker that waits: %v; all chose at the same time: %v", waits, met)
		}
		// One after another, each knows what was made before it.
		if want := map[bool]int{true: 1, false: 3}[waits]; len(g.tried[0]) != want || len(g.made[0]) != 3 {
			t.Errorf("a breaker that waits: %v; %d mutations in %d breaks, want %d", waits, len(g.tried[0]), len(g.made[0]), want)
		}
	}
}
