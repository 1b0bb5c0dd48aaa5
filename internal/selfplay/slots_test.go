package selfplay

import (
	"slices"
	"testing"
	"time"
)

func TestAFreeSlotGoesToTheGameThatHoldsFewestAndThenToTheOldest(t *testing.T) {
	s := newSlots(2)
	first, second := s.take(1), s.take(1)
	got := make(chan int)
	next := make(chan struct{})
	for i, game := range []int{1, 1, 2, 3, 2} {
		go func() {
			release := s.take(game)
			got <- game
			<-next
			release()
		}()
		for waits := 0; waits <= i; { // in this order
			s.mu.Lock()
			waits = len(s.waiting)
			s.mu.Unlock()
			time.Sleep(time.Millisecond)
		}
	}
	first()
	order := []int{<-got} // 2, which waits longer than 3
	second()
	order = append(order, <-got) // 1, which holds none any more
	for range 3 {
		next <- struct{}{} // whichever of the two ends, 3 holds none
		order = append(order, <-got)
	}
	slices.Sort(order[3:])
	if !slices.Equal(order, []int{2, 1, 3, 1, 2}) {
		t.Errorf("slots went to games %v", order)
	}
	next <- struct{}{}
	next <- struct{}{}
}
