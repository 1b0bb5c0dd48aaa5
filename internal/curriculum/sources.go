package curriculum

import (
	"math/rand/v2"

	"breakfix/internal/bug"
	"breakfix/internal/store"
)

// draw is one turn: its position in the run (1-based) and its own generator.
type draw struct {
	position int
	random   *rand.Rand
}

// source offers a game for a turn, or nothing.
type source func(*Curriculum, draw) (Item, bool)

// plan is the whole schedule. Every fourth game is a failed repair played as
// a harder bug; when none waits, every eighth is a known bug that is rarely
// repaired; everything else is a new break.
func plan() source {
	return first(
		every(4, higherOrder),
		every(8, replay),
		fresh,
	)
}

// first asks its sources in turn and takes the first offer.
func first(sources ...source) source {
	return func(c *Curriculum, d draw) (Item, bool) {
		for _, s := range sources {
			if item, ok := s(c, d); ok {
				return item, true
			}
		}
		return Item{}, false
	}
}

// every asks its source on each n-th turn only.
func every(n int, s source) source {
	return func(c *Curriculum, d draw) (Item, bool) {
		if d.position%n != 0 {
			return Item{}, false
		}
		return s(c, d)
	}
}

// fresh breaks the sources in turn. It is never empty.
func fresh(c *Curriculum, _ draw) (Item, bool) {
	item := Item{Kind: store.KindFresh, Source: c.state.Fresh % c.config.Sources, Order: 1}
	c.state.Fresh++
	return item, true
}

// higherOrder draws a failed repair in proportion to its weight. Each is
// played once.
func higherOrder(c *Curriculum, d draw) (Item, bool) {
	q := c.state.Queue
	i, ok := proportional(d.random, len(q), func(i int) float64 { return bug.WeightOf(q[i].Order) })
	if !ok {
		return Item{}, false
	}
	k := q[i]
	c.state.Queue = append(append([]candidate(nil), q[:i]...), q[i+1:]...)
	return Item{Kind: store.KindHigherOrder, Source: k.Source, BugID: k.Parent, Repair: k.Repair, Order: k.Order}, true
}

// replay draws a bug that is seldom repaired, in proportion to its weight.
func replay(c *Curriculum, d draw) (Item, bool) {
	b := c.state.Bugs
	i, ok := proportional(d.random, len(b), func(i int) float64 {
		if b[i].Replays >= ReplayAtMost || b[i].Attempts == 0 ||
			float64(b[i].Fixed) >= ReplayBelow*float64(b[i].Attempts) {
			return 0
		}
		return bug.WeightOf(b[i].Order)
	})
	if !ok {
		return Item{}, false
	}
	b[i].Replays++
	return Item{Kind: store.KindReplay, Source: b[i].Source, BugID: b[i].Bug, Order: b[i].Order}, true
}

// proportional draws an index below n with probability in proportion to its
// weight; false when no weight is above 0.
func proportional(r *rand.Rand, n int, weight func(int) float64) (int, bool) {
	total := 0.0
	for i := range n {
		total += weight(i)
	}
	if total <= 0 {
		return 0, false
	}
	at := r.Float64() * total
	last := -1
	for i := range n {
		w := weight(i)
		if w <= 0 {
			continue
		}
		last = i
		if at < w {
			return i, true
		}
		at -= w
	}
	return last, true // rounding took at past the end
}

// mix derives a seed from a run's seed and an ordinal (SplitMix64's finalizer).
func mix(seed, n uint64) uint64 {
	z := seed + n*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func generator(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x63757272)) }
