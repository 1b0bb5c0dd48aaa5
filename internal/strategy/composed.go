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
// Two drawn blindly hardly ever are like that. Two decisions that an effect
// hangs on both are: with both conditions turned round, the inputs for which one
// alone was wrong are right again, and others are wrong. And it shows in the red
// sets of the two alone: some tests are red for both, but neither's red set holds
// the other's. So a few mutations of one neighbourhood, those of decisions most
// of the time, are judged alone, which is cheap and remembered, and such pairs
// are tried. A third and a fourth part are looked for beside two that interact,
// among those that by the red sets so far are needed.
type composed struct {
	*judging
	x     *index
	parts int
	tried map[string]bool     // compositions
	queue [][]mutate.Mutation // pairs that are worth a try
	pairs []pair              // that interact, to build on
}

// pair are two mutations that interact, and how often they were built on.
type pair struct {
	parts []mutate.Mutation
	used  int
}

// Bounds of the search.
const (
	maxVain   = 60 // neighbourhoods without a pair before nothing is taken to be left
	maxDraws  = 20 // mutations drawn in a neighbourhood
	maxAlone  = 8  // of them judged to be of use
	maxSpot   = 2  // of them that begin at one place in the code
	maxPairs  = 4  // tried in a neighbourhood
	maxBeside = 12 // mutations drawn for a further part
	maxUsed   = 3  // compositions on one pair
	fewTests  = 3  // that run a mutation for it to come first; fewer leave nothing to differ in,
	manyTests = 60 // and more take long, run or red
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
	return &composed{judging: newJudging(from), x: x, parts: o.Parts, tried: map[string]bool{}}, nil
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
		return s.two(ctx, r)
	}
	for len(s.pairs) == 0 {
		p, err := s.two(ctx, r)
		if err != nil || p.Screened != "" {
			return p, err
		}
	}
	return s.larger(ctx, r, parts)
}

// two proposes the next pair; one that passes can be built on.
func (s *composed) two(ctx context.Context, r *rand.Rand) (Proposal, error) {
	for vain := 0; len(s.queue) == 0; vain++ {
		if vain == maxVain {
			return Proposal{}, ErrExhausted
		}
		if err := s.gather(ctx, r); err != nil {
			return Proposal{}, err
		}
	}
	ms := s.queue[0]
	s.queue = s.queue[1:]
	p, err := s.judged(ctx, r, ms)
	if err == nil && p.Screened == "" {
		s.pairs = append(s.pairs, pair{parts: ms})
	}
	return p, err
}

// gather judges some mutations of a neighbourhood alone and queues the pairs
// that are worth a try.
func (s *composed) gather(ctx context.Context, r *rand.Rand) error {
	decisions := r.IntN(4) > 0
	next, ok, err := s.anchor(r, decisions)
	if err != nil || !ok {
		return err
	}
	first, spots := next, map[int]int{}
	var near []mutate.Mutation
	for range maxDraws {
		if err := ctx.Err(); err != nil {
			return err
		}
		if ok && spots[next.Edits[0].Start] < maxSpot && !slices.ContainsFunc(near, func(m mutate.Mutation) bool { return m.ID == next.ID }) {
			l, err := s.at(ctx, next)
			if err != nil {
				return err
			}
			if s.partial(next, l) && len(l.red) > 0 && len(l.red) <= manyTests {
				near = append(near, next)
				spots[next.Edits[0].Start]++
			}
		}
		if len(near) == maxAlone {
			break
		}
		if next, ok, err = s.beside(r, first, decisions); err != nil {
			return err
		}
	}
	var worth [][]mutate.Mutation
	for i, a := range near {
		for _, b := range near[:i] {
			if apart(a, b) && !s.tried[keyOf(a, b)] && crossing(s.seen[a.ID].red, s.seen[b.ID].red) {
				worth = append(worth, []mutate.Mutation{b, a})
			}
		}
	}
	r.Shuffle(len(worth), func(i, k int) { worth[i], worth[k] = worth[k], worth[i] })
	slices.SortStableFunc(worth, func(a, b []mutate.Mutation) int { return distance(a) - distance(b) })
	s.queue = append(s.queue, worth[:min(len(worth), maxPairs)]...)
	return nil
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

// larger adds parts to two that interact, until there are n.
func (s *composed) larger(ctx context.Context, r *rand.Rand, n int) (Proposal, error) {
	i := r.IntN(len(s.pairs))
	s.pairs[i].used++
	ms := slices.Clone(s.pairs[i].parts)
	if s.pairs[i].used == maxUsed {
		s.pairs = slices.Delete(s.pairs, i, i+1)
	}
	for len(ms) < n {
		m, err := s.needed(ctx, r, ms)
		if err != nil {
			return Proposal{}, err
		}
		if m == nil {
			p, err := s.judged(ctx, r, ms)
			p.Screened, p.Reason = PartNotNeeded, fmt.Sprintf("beside %d parts no other one was found that is needed", len(ms))
			return p, err
		}
		ms = append(ms, *m)
	}
	return s.judged(ctx, r, ms)
}

// needed looks for a mutation beside those that are there of which the red sets
// so far say that with it every part is needed; nil when it finds none.
func (s *composed) needed(ctx context.Context, r *rand.Rand, ms []mutate.Mutation) (*mutate.Mutation, error) {
	whole, err := s.at(ctx, ms...)
	if err != nil {
		return nil, err
	}
	for range maxBeside {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, ok, err := s.beside(r, ms[r.IntN(len(ms))], false)
		if err != nil {
			return nil, err
		}
		with := append(slices.Clone(ms), m)
		if !ok || slices.ContainsFunc(ms, func(o mutate.Mutation) bool { return !apart(o, m) }) || s.tried[keyOf(with...)] {
			continue
		}
		l, err := s.at(ctx, m)
		if err != nil {
			return nil, err
		}
		if !s.partial(m, l) || len(l.red) > manyTests {
			continue
		}
		all := union(whole.red, l.red) // taken for independent of the others
		if len(l.red) == 0 {           // unnoticed alone: only the whole tells
			together, err := s.at(ctx, with...)
			if err != nil {
				return nil, err
			}
			all = together.red
		}
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
