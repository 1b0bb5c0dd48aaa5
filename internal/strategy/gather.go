package strategy

import (
	"context"
	"math/rand/v2"
	"slices"

	"breakfix/internal/mutate"
)

// gather judges some mutations of a neighbourhood alone and queues the pairs
// that are worth a try.
func (s *composed) gather(ctx context.Context, r *rand.Rand) error {
	decisions := r.IntN(4) > 0
	next, ok, err := s.anchor(r, decisions)
	if err != nil || !ok {
		return err
	}
	first := next
	var near, drawn []mutate.Mutation // of use; not judged yet
	red := map[string][]string{}
	judge := func() error {
		if err := s.ahead(ctx, each(drawn)...); err != nil {
			return err
		}
		for _, m := range drawn {
			l, err := s.at(ctx, m)
			if err != nil {
				return err
			}
			if s.partial(m, l) && len(l.Red) > 0 && len(l.Red) <= manyTests {
				near, red[m.ID] = append(near, m), l.Red
			}
		}
		drawn = nil
		return nil
	}
	// Several are drawn before they are judged together, as long as no judgement
	// can say that one of them would not have been judged, or not been drawn.
	for range maxDraws {
		if err := ctx.Err(); err != nil {
			return err
		}
		if ok && !holds(near, next) && !holds(drawn, next) && atSpot(near, next) < maxSpot {
			if atSpot(near, next)+atSpot(drawn, next) == maxSpot {
				if err := judge(); err != nil {
					return err
				}
			}
			if atSpot(near, next) < maxSpot {
				drawn = append(drawn, next)
			}
		}
		if len(near)+len(drawn) == maxAlone {
			if err := judge(); err != nil {
				return err
			}
		}
		if len(near) == maxAlone {
			break
		}
		if next, ok, err = s.beside(r, first, decisions); err != nil {
			return err
		}
	}
	if err := judge(); err != nil {
		return err
	}
	var worth [][]mutate.Mutation
	for i, a := range near {
		for _, b := range near[:i] {
			if apart(a, b) && !s.tried[keyOf(a, b)] && crossing(red[a.ID], red[b.ID]) {
				worth = append(worth, []mutate.Mutation{b, a})
			}
		}
	}
	r.Shuffle(len(worth), func(i, k int) { worth[i], worth[k] = worth[k], worth[i] })
	slices.SortStableFunc(worth, func(a, b []mutate.Mutation) int { return distance(a) - distance(b) })
	s.queue = append(s.queue, worth[:min(len(worth), maxPairs)]...)
	return s.ahead(ctx, s.queue...)
}

// partial reports whether a mutation leaves something to another one: it loads,
// and of the tests that run it some stay green.
func (s *composed) partial(m mutate.Mutation, l Look) bool {
	return l.Trouble == "" && len(l.Red) < len(s.x.covering(m))
}

// anchor draws the first of a neighbourhood: a function, then one of its
// mutations; again, until it is run by neither too few tests nor too many.
func (s *composed) anchor(r *rand.Rand, decisions bool) (m mutate.Mutation, ok bool, err error) {
	for range 30 {
		if len(s.x.places) == 0 {
			break
		}
		in, err := s.of(s.x.places[r.IntN(len(s.x.places))], decisions)
		if err != nil {
			return m, false, err
		}
		if len(in) == 0 {
			continue
		}
		m = in[r.IntN(len(in))]
		n := len(s.x.covering(m))
		if ok = n > 0; n >= fewTests && n <= manyTests {
			break
		}
	}
	return m, ok, nil
}

func (s *composed) of(p place, decisions bool) ([]mutate.Mutation, error) {
	if decisions {
		return s.x.deciders(p)
	}
	return s.x.at[p], nil
}

// beside draws a mutation that some test runs together with m and that leaves
// m's bytes alone: mostly of its function, else of one across a call, or of its
// file.
func (s *composed) beside(r *rand.Rand, m mutate.Mutation, decisions bool) (n mutate.Mutation, ok bool, err error) {
	own := place{m.Path, m.Function}
	at := []place{own}
	switch r.IntN(8) {
	case 0, 1:
		at = s.x.near[own]
	case 2:
		at = slices.DeleteFunc(slices.Clone(s.x.places), func(p place) bool { return p.path != m.Path || p == own })
	}
	if len(at) == 0 {
		return n, false, nil
	}
	in, err := s.of(at[r.IntN(len(at))], decisions)
	if err != nil || len(in) == 0 {
		return n, false, err
	}
	n = in[r.IntN(len(in))]
	return n, apart(m, n) && common(s.x.covering(m), s.x.covering(n)) > 0, nil
}

func holds(ms []mutate.Mutation, m mutate.Mutation) bool {
	return slices.ContainsFunc(ms, func(o mutate.Mutation) bool { return o.ID == m.ID })
}

// atSpot counts those that begin where m does.
func atSpot(ms []mutate.Mutation, m mutate.Mutation) int {
	n := 0
	for _, o := range ms {
		if o.Edits[0].Start == m.Edits[0].Start {
			n++
		}
	}
	return n
}

// distance is how many lines lie between two mutations; those of two functions
// are further apart than any of one.
func distance(ms []mutate.Mutation) int {
	a, b := ms[0], ms[1]
	d := max(a.Line-b.LastLine, b.Line-a.LastLine, 0)
	if a.Path != b.Path || a.Function != b.Function {
		d += 1 << 20
	}
	return d
}

// crossing reports whether two sets have something in common and each has
// something of its own.
func crossing(a, b []string) bool {
	n := common(a, b)
	return n > 0 && n < len(a) && n < len(b)
}
