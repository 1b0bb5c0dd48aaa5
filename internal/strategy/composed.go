package strategy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"breakfix/internal/bug"
	"breakfix/internal/mutate"
	"breakfix/internal/testrun"
)

// Bounds of a composition.
const (
	MinParts = 2
	MaxParts = 4
)

// composed makes several mutations at once that do together what they do not
// do alone, none of which is idle: repair one, and tests are still red, but not
// the same ones.
//
// Mutations that interact are rare, and what makes them so is known before they
// are tried: some tests run both, and each leaves some of the tests green that
// run it. One that turns all of them red leaves the other nothing to change. A
// third and a fourth part are looked for beside two that interact, among those
// that by the red sets so far are needed.
type composed struct {
	*judging
	x     *index
	parts int
	tried map[string]bool // compositions
	luck  map[string]*luck
	pairs []pair // that interact, to build on
}

// pair are two mutations that interact, and how often they were built on.
type pair struct {
	parts []mutate.Mutation
	used  int
}

// luck is how often a way to find the second part led to an interaction.
type luck struct{ tried, met float64 }

// The ways to find the next part beside one: in its function, elsewhere in its
// file, across a call.
var ways = []string{"function", "file", "call"}

// Bounds of the search.
const (
	maxSearch  = 300 // mutations judged in vain before nothing is taken to be left
	maxPartner = 12  // beside one mutation
	maxUsed    = 4   // compositions on one pair
	minTests   = 3   // that run a function's mutation for it to come first
)

// Composed proposes compositions of o.Parts mutations, and what its cheap look
// refuses.
func Composed(from Source, o Options) (Strategy, error) {
	if o.Parts != 0 && (o.Parts < MinParts || o.Parts > MaxParts) {
		return nil, fmt.Errorf("a composed bug has %d to %d parts, not %d", MinParts, MaxParts, o.Parts)
	}
	x, err := indexed(from, o.Operators)
	if err != nil {
		return nil, err
	}
	s := &composed{judging: newJudging(from), x: x, parts: o.Parts, tried: map[string]bool{}, luck: map[string]*luck{}}
	for _, w := range ways {
		s.luck[w] = &luck{tried: 4, met: 1}
	}
	return s, nil
}

// Name implements Strategy.
func (*composed) Name() string { return "composed" }

// Propose implements Strategy.
func (s *composed) Propose(ctx context.Context, r *rand.Rand) (Proposal, error) {
	parts := s.parts
	if parts == 0 {
		parts = MinParts + r.IntN(MaxParts-MinParts+1)
	}
	if parts == MinParts {
		return s.fresh(ctx, r, false)
	}
	if len(s.pairs) == 0 || r.IntN(3) == 0 {
		p, err := s.fresh(ctx, r, true)
		if err != nil && (err != ErrExhausted || len(s.pairs) == 0) {
			return Proposal{}, err
		}
		if err == nil && p.Screened != "" && p.Screened != OnePartIsAll {
			return p, nil
		}
	}
	return s.larger(ctx, r, parts)
}

// fresh draws two mutations that were not tried together. With seed set they
// are what a larger one is built on: then one of them may be unnoticed alone.
func (s *composed) fresh(ctx context.Context, r *rand.Rand, seed bool) (Proposal, error) {
	for judged := 0; judged < maxSearch; {
		if err := ctx.Err(); err != nil {
			return Proposal{}, err
		}
		judged++
		a, ok := s.anchor(r)
		if !ok {
			return Proposal{}, ErrExhausted
		}
		la, err := s.at(ctx, a)
		if err != nil {
			return Proposal{}, err
		}
		if !s.partial(a, la) || len(la.red) == 0 {
			continue
		}
		for range maxPartner {
			way := s.way(r)
			b, ok := s.beside(r, way, a)
			if !ok || s.tried[keyOf(a, b)] {
				continue
			}
			judged++
			lb, err := s.at(ctx, b)
			if err != nil {
				return Proposal{}, err
			}
			if !s.partial(b, lb) || len(lb.red) == 0 && !seed || slices.Equal(la.red, lb.red) {
				continue
			}
			ms := []mutate.Mutation{a, b}
			p, err := s.judged(ctx, r, ms)
			if err != nil {
				return Proposal{}, err
			}
			s.luck[way].tried++
			if both, err := s.at(ctx, ms...); err == nil && both.trouble == "" && len(both.red) > 0 && !slices.Equal(both.red, union(la.red, lb.red)) {
				s.luck[way].met++
				s.pairs = append(s.pairs, pair{parts: ms})
			}
			return p, nil
		}
	}
	return Proposal{}, ErrExhausted
}

// larger adds parts to two that interact, until there are n.
func (s *composed) larger(ctx context.Context, r *rand.Rand, n int) (Proposal, error) {
	for len(s.pairs) > 0 {
		i := r.IntN(len(s.pairs))
		on := &s.pairs[i]
		on.used++
		ms := slices.Clone(on.parts)
		if on.used >= maxUsed {
			s.pairs = slices.Delete(s.pairs, i, i+1)
		}
		for len(ms) < n {
			m, err := s.needed(ctx, r, ms)
			if err != nil {
				return Proposal{}, err
			}
			if m == nil {
				break
			}
			ms = append(ms, *m)
		}
		if len(ms) == n {
			return s.judged(ctx, r, ms)
		}
	}
	p, err := s.fresh(ctx, r, true)
	if err == nil && p.Screened == "" { // it interacts, and nothing fits beside it
		p.Screened, p.Reason = PartNotNeeded, fmt.Sprintf("no part that is needed was found beside %d", len(p.Candidate.Mutations))
	}
	return p, err
}

// needed looks for a mutation beside those that are there of which the red sets
// so far say that with it every part is needed; nil when it finds none.
func (s *composed) needed(ctx context.Context, r *rand.Rand, ms []mutate.Mutation) (*mutate.Mutation, error) {
	whole, err := s.at(ctx, ms...)
	if err != nil {
		return nil, err
	}
	for range maxPartner {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, ok := s.beside(r, s.way(r), ms[r.IntN(len(ms))])
		if !ok || slices.ContainsFunc(ms, func(o mutate.Mutation) bool { return !apart(o, m) }) || s.tried[keyOf(append(slices.Clone(ms), m)...)] {
			continue
		}
		l, err := s.at(ctx, m)
		if err != nil {
			return nil, err
		}
		if !s.partial(m, l) || len(l.red) == 0 {
			continue
		}
		// Taken for independent of the others.
		all := union(whole.red, l.red)
		fits := !slices.Equal(all, whole.red)
		for i := range ms {
			rest, err := s.at(ctx, without(ms, i)...)
			if err != nil {
				return nil, err
			}
			fits = fits && !slices.Equal(union(rest.red, l.red), all)
		}
		if fits {
			return &m, nil
		}
	}
	return nil, nil
}

// judged makes the proposal of a composition, with what the cheap look says.
func (s *composed) judged(ctx context.Context, r *rand.Rand, ms []mutate.Mutation) (Proposal, error) {
	s.tried[keyOf(ms...)] = true
	broken, err := mutate.Apply(s.from.Target.Snapshot.Tree, ms...)
	if err != nil {
		return Proposal{}, err
	}
	p := Proposal{Candidate: bug.Candidate{Tree: broken, Mutations: ms, Tier: testrun.CodeSwap, Strategy: s.Name(), Seed: r.Uint64(), Order: 1}}
	p.Screened, p.Reason, err = s.screen(ctx, ms)
	return p, err
}

// screen is the cheap look: the whole, each part alone and the whole without
// each part.
func (s *composed) screen(ctx context.Context, ms []mutate.Mutation) (screened, reason string, err error) {
	whole, err := s.at(ctx, ms...)
	switch {
	case err != nil:
		return "", "", err
	case whole.trouble != "":
		return whole.trouble, whole.reason, nil
	case len(whole.red) == 0:
		return Unnoticed, "together no test notices the parts", nil
	}
	alone := make([][]string, len(ms))
	idle := -1 // a part that no test notices alone
	for i, m := range ms {
		l, err := s.at(ctx, m)
		switch {
		case err != nil:
			return "", "", err
		case l.trouble != "":
			return l.trouble, fmt.Sprintf("%s alone: %s", title(m), l.reason), nil
		}
		if alone[i] = l.red; len(l.red) == 0 {
			idle = i
		}
	}
	for i, m := range ms {
		rest, err := s.at(ctx, without(ms, i)...)
		switch {
		case err != nil:
			return "", "", err
		case rest.trouble != "":
			return rest.trouble, fmt.Sprintf("without %s: %s", title(m), rest.reason), nil
		case len(rest.red) == 0:
			return OnePartIsAll, fmt.Sprintf("without %s no test is red", title(m)), nil
		case slices.Equal(rest.red, whole.red):
			return PartNotNeeded, fmt.Sprintf("without %s the red set is the same", title(m)), nil
		}
	}
	if idle < 0 && slices.Equal(whole.red, union(alone...)) {
		return NoInteraction, "together the parts make the same tests red as each alone", nil
	}
	return "", "", nil
}

func title(m mutate.Mutation) string { return fmt.Sprintf("%s at %s:%d", m.Operator, m.Path, m.Line) }

// partial reports whether a mutation leaves something to another one: it loads,
// and of the tests that run it some stay green.
func (s *composed) partial(m mutate.Mutation, l look) bool {
	return l.trouble == "" && len(l.red) < len(s.x.covering(m))
}

// anchor draws the first part: a function, those that several tests run before
// others, then one of its mutations.
func (s *composed) anchor(r *rand.Rand) (mutate.Mutation, bool) {
	if len(s.x.places) == 0 {
		return mutate.Mutation{}, false
	}
	var m mutate.Mutation
	for range 20 {
		in := s.x.at[s.x.places[r.IntN(len(s.x.places))]]
		m = in[r.IntN(len(in))]
		if len(s.x.covering(m)) >= minTests {
			break
		}
	}
	return m, len(s.x.covering(m)) > 0
}

// way draws where to look for the next part, by how often it helped.
func (s *composed) way(r *rand.Rand) string {
	total := 0.0
	for _, w := range ways {
		total += s.luck[w].met / s.luck[w].tried
	}
	x := r.Float64() * total
	for _, w := range ways {
		if x -= s.luck[w].met / s.luck[w].tried; x < 0 {
			return w
		}
	}
	return ways[0]
}

// beside draws a mutation that some test runs together with m and that leaves
// m's bytes alone.
func (s *composed) beside(r *rand.Rand, way string, m mutate.Mutation) (mutate.Mutation, bool) {
	own := place{m.Path, m.Function}
	at := []place{own}
	switch way {
	case "file":
		at = slices.DeleteFunc(slices.Clone(s.x.places), func(p place) bool { return p.path != m.Path || p == own })
	case "call":
		at = s.x.near[own]
	}
	if len(at) == 0 {
		return mutate.Mutation{}, false
	}
	in := s.x.at[at[r.IntN(len(at))]]
	if len(in) == 0 {
		return mutate.Mutation{}, false
	}
	n := in[r.IntN(len(in))]
	return n, apart(m, n) && common(s.x.covering(m), s.x.covering(n)) > 0
}

func keyOf(ms ...mutate.Mutation) string {
	ids := make([]string, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// without returns all but the i-th.
func without(ms []mutate.Mutation, i int) []mutate.Mutation {
	return slices.Delete(slices.Clone(ms), i, i+1)
}
