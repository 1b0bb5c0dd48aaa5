package selfplay

import "sync"

// slots are the workers' places: a validation or an attempt holds one. A free one goes to
// the game that holds fewest, of these to the one that waits longest: attempts at one bug
// make much the same steps and wait for each other's verdicts, those at another do not.
type slots struct {
	mu      sync.Mutex
	free    int
	held    map[int]int // by game
	waiting []*waiter   // oldest first
}

type waiter struct {
	game int
	turn chan struct{}
}

func newSlots(n int) *slots { return &slots{free: n, held: map[int]int{}} }

// take waits for a slot; the caller releases it.
func (s *slots) take(game int) (release func()) {
	<-s.ask(game)
	return func() { s.release(game) }
}

// ask joins those that wait; what it returns is closed when it is its turn.
func (s *slots) ask(game int) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &waiter{game, make(chan struct{})}
	s.waiting = append(s.waiting, w)
	s.give()
	return w.turn
}

func (s *slots) release(game int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	if s.held[game]--; s.held[game] == 0 {
		delete(s.held, game)
	}
	s.give()
}

// give hands free slots out. s is locked.
func (s *slots) give() {
	for s.free > 0 && len(s.waiting) > 0 {
		next := 0
		for i, w := range s.waiting {
			if s.held[w.game] < s.held[s.waiting[next].game] {
				next = i
			}
		}
		w := s.waiting[next]
		s.waiting = append(s.waiting[:next], s.waiting[next+1:]...)
		s.free--
		s.held[w.game]++
		close(w.turn)
	}
}
