package strategy

import (
	"context"
	"math/rand/v2"

	"breakfix/internal/bug"
	"breakfix/internal/mutate"
	"breakfix/internal/testrun"
)

// operator makes one mutation of the bank: first an operator, each alike but
// for how often it was drawn, then one of its functions, then one site there,
// so that neither frequent operators nor long functions take everything.
type operator struct {
	from  Source
	left  map[string]map[place][]mutate.Mutation // by operator and function
	drawn map[string]int
}

// Operator proposes each mutation of the named operators (none: all) once.
func Operator(from Source, operators ...string) (Strategy, error) {
	wanted, err := wantedOperators(operators)
	if err != nil {
		return nil, err
	}
	sites, err := from.Bank.Sites()
	if err != nil {
		return nil, err
	}
	s := &operator{from: from, left: map[string]map[place][]mutate.Mutation{}, drawn: map[string]int{}}
	for _, m := range sites {
		if len(wanted) > 0 && !wanted[m.Operator] {
			continue
		}
		if s.left[m.Operator] == nil {
			s.left[m.Operator] = map[place][]mutate.Mutation{}
		}
		p := place{m.Path, m.Function}
		s.left[m.Operator][p] = append(s.left[m.Operator][p], m)
	}
	return s, nil
}

// Name implements Strategy.
func (*operator) Name() string { return "operator" }

// Propose implements Strategy.
func (s *operator) Propose(ctx context.Context, r *rand.Rand) (Proposal, error) {
	if err := ctx.Err(); err != nil {
		return Proposal{}, err
	}
	m, ok := s.take(r)
	if !ok {
		return Proposal{}, ErrExhausted
	}
	broken, err := mutate.Apply(s.from.Target.Snapshot.Tree, m)
	if err != nil {
		return Proposal{}, err
	}
	return Proposal{Candidate: bug.Candidate{
		Tree: broken, Mutations: []mutate.Mutation{m}, Tier: testrun.CodeSwap, Strategy: s.Name(), Seed: r.Uint64(), Order: 1,
	}}, nil
}

// take draws a mutation and crosses it off.
func (s *operator) take(r *rand.Rand) (mutate.Mutation, bool) {
	names := sorted(s.left, func(a, b string) bool { return a < b })
	if len(names) == 0 {
		return mutate.Mutation{}, false
	}
	total := 0.0
	for _, n := range names {
		total += 1 / float64(1+s.drawn[n])
	}
	name := names[len(names)-1]
	x := r.Float64() * total
	for _, n := range names {
		if x -= 1 / float64(1+s.drawn[n]); x < 0 {
			name = n
			break
		}
	}
	s.drawn[name]++
	places := sorted(s.left[name], before)
	at := places[r.IntN(len(places))]
	in := s.left[name][at]
	i := r.IntN(len(in))
	m := in[i]
	if in = append(in[:i:i], in[i+1:]...); len(in) > 0 {
		s.left[name][at] = in
		return m, true
	}
	delete(s.left[name], at)
	if len(s.left[name]) == 0 {
		delete(s.left, name)
	}
	return m, true
}
