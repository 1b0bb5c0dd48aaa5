package selfplay

import "testing"

func TestAFreeSlotGoesToTheGameThatHoldsFewestAndThenToTheOldest(t *testing.T) {
	s := newSlots(2)
	s.take(1)
	s.take(1)
	games := []int{1, 1, 2, 3, 2}
	turns := make([]<-chan struct{}, len(games))
	for i, game := range games {
		turns[i] = s.ask(game)
	}
	had := map[int]bool{}
	for _, c := range []struct{ ends, next int }{
		{1, 2}, // game 2, which waits longer than 3
		{1, 0}, // game 1, which holds none any more
		{2, 3}, // game 3, which waits longer than 2 does again
		{1, 1},
		{3, 4},
	} {
		s.release(c.ends)
		had[c.next] = true
		for i, turn := range turns {
			select {
			case <-turn:
				if !had[i] {
					t.Errorf("a game %d ended and %d, of game %d, had its turn", c.ends, i, games[i])
				}
			default:
				if had[i] {
					t.Errorf("a game %d ended and %d, of game %d, still waits", c.ends, i, games[i])
				}
			}
		}
	}
}
