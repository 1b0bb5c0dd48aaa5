package strategy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

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
		if !s.partial(m, l) || len(l.Red) > manyTests {
			continue
		}
		all := union(whole.Red, l.Red) // taken for independent of the others
		if len(l.Red) == 0 {           // unnoticed alone: only the whole tells
			together, err := s.at(ctx, with...)
			if err != nil {
				return nil, err
			}
			all = together.Red
		}
		if err := s.ahead(ctx, lacking(ms)...); err != nil {
			return nil, err
		}
		fits := !slices.Equal(all, whole.Red)
		for i := range ms {
			rest, err := s.at(ctx, without(ms, i)...)
			if err != nil {
				return nil, err
			}
			fits = fits && !slices.Equal(union(rest.Red, l.Red), all)
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
	if err := s.ahead(ctx, append(lacking(ms), ms)...); err != nil {
		return "", "", err
	}
	whole, err := s.at(ctx, ms...)
	switch {
	case err != nil:
		return "", "", err
	case whole.Trouble != "":
		return whole.Trouble, whole.Reason, nil
	case len(whole.Red) == 0:
		return Unnoticed, "together no test notices the parts", nil
	}
	alone := make([][]string, len(ms))
	idle := -1 // a part that no test notices alone
	for i, m := range ms {
		l, err := s.at(ctx, m)
		switch {
		case err != nil:
			return "", "", err
		case l.Trouble != "":
			return l.Trouble, fmt.Sprintf("%s alone: %s", title(m), l.Reason), nil
		}
		if alone[i] = l.Red; len(l.Red) == 0 {
			idle = i
		}
	}
	for i, m := range ms {
		rest, err := s.at(ctx, without(ms, i)...)
		switch {
		case err != nil:
			return "", "", err
		case rest.Trouble != "":
			return rest.Trouble, fmt.Sprintf("without %s: %s", title(m), rest.Reason), nil
		case len(rest.Red) == 0:
			return OnePartIsAll, fmt.Sprintf("without %s no test is red", title(m)), nil
		case slices.Equal(rest.Red, whole.Red):
			return PartNotNeeded, fmt.Sprintf("without %s the red set is the same", title(m)), nil
		}
	}
	if idle < 0 && slices.Equal(whole.Red, union(alone...)) {
		return NoInteraction, "together the parts make the same tests red as each alone", nil
	}
	return "", "", nil
}

func title(m mutate.Mutation) string { return fmt.Sprintf("%s at %s:%d", m.Operator, m.Path, m.Line) }

// without returns all but the i-th.
func without(ms []mutate.Mutation, i int) []mutate.Mutation {
	return slices.Delete(slices.Clone(ms), i, i+1)
}

// each lists mutations as those that are made alone.
func each(ms []mutate.Mutation) [][]mutate.Mutation {
	sets := make([][]mutate.Mutation, len(ms))
	for i := range ms {
		sets[i] = ms[i : i+1]
	}
	return sets
}

// lacking lists ms without each of them in turn.
func lacking(ms []mutate.Mutation) [][]mutate.Mutation {
	sets := make([][]mutate.Mutation, len(ms))
	for i := range ms {
		sets[i] = without(ms, i)
	}
	return sets
}
