package builtin

import (
	"fmt"
	"sync"

	"breakfix/internal/policy"
)

// gameKey is a hash of all that the lessons of a game rest on.
func gameKey(group []policy.Scored) uint64 {
	parts := []string{group[0].Group}
	for i := range group {
		s := &group[i]
		parts = append(parts, string(s.Trajectory.Data), fmt.Sprint(s.Won, s.Advantage, s.Right != nil))
		if s.Fix != nil && i == 0 {
			t := s.Fix.Task()
			parts = append(parts, fmt.Sprint(t.Seed, t.RedPath, t.Contexts))
		}
	}
	return hashOf(parts...)
}

// taught remembers the lessons of the latest games.
type taught struct {
	mu    sync.Mutex
	games map[uint64][]*lesson
	keys  []uint64 // oldest first
	held  int      // lessons
}

// mostTaught bounds the lessons that are remembered; one takes some 25 KB.
const mostTaught = 400

func (t *taught) of(key uint64) ([]*lesson, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.games[key]
	return l, ok
}

func (t *taught) put(key uint64, lessons []*lesson) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.games == nil {
		t.games = map[uint64][]*lesson{}
	}
	if _, ok := t.games[key]; ok {
		return
	}
	t.games[key], t.keys, t.held = lessons, append(t.keys, key), t.held+len(lessons)
	for t.held > mostTaught && len(t.keys) > 1 {
		t.held -= len(t.games[t.keys[0]])
		delete(t.games, t.keys[0])
		t.keys = t.keys[1:]
	}
}
