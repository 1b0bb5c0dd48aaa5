package strategy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"breakfix/internal/spelling"
)

// Kind is one way to make candidates, as it is listed.
type Kind struct {
	Name string
	Doc  string // one line
	// Weight is its share in a mix that names no weights. Operators are the
	// cheapest and have by far the most to give, so they are half of it; what
	// spans several places is what single mutations cannot teach, a third; code
	// that is gone is a coarse break, and past fixes are the most like real work
	// and run out first: each of the two has half of what is left.
	Weight float64

	open func(Source, Options) (Strategy, error)
}

// Options say what the strategies draw; the zero value is what nobody asked for.
type Options struct {
	Parts     int      // composed: mutations in one bug, 2 to 4; 0 draws it anew for each
	Operators []string // operator and composed: only these of the bank; none means all
	Cache     string   // history: breakfix's cache folder, for a clone; "" means the user's
}

// Kinds lists the strategies in the order in which they are shown.
func Kinds() []Kind {
	return []Kind{
		{"operator", "one mutation of the bank", 6, func(from Source, o Options) (Strategy, error) { return Operator(from, o.Operators...) }},
		{"composed", "two to four mutations of which each matters and that together do what they do not do alone", 4, func(from Source, o Options) (Strategy, error) { return Composed(from, o) }},
		{"removal", "a function's body, a guard, or related code in two files taken away", 1, func(from Source, _ Options) (Strategy, error) { return Removal(from) }},
		{"history", "a past fix of the repository undone in today's code; git sources only", 1, func(from Source, o Options) (Strategy, error) { return History(from, o) }},
	}
}

// Names lists the strategies by name.
func Names() []string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// UnavailableError says that a source has nothing for a strategy.
type UnavailableError struct{ Strategy, Reason string }

// Error names the strategy and the reason.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("strategy %s is not available: %s", e.Strategy, e.Reason)
}

// New makes the strategy of that name. The error for an unknown one names the
// nearest; it is an *UnavailableError where the source has nothing for it.
func New(name string, from Source, o Options) (Strategy, error) {
	k, err := kind(name)
	if err != nil {
		return nil, err
	}
	return k.open(from, o)
}

func kind(name string) (Kind, error) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, nil
		}
	}
	return Kind{}, fmt.Errorf("strategy %q does not exist; did you mean %q?", name, spelling.Nearest(name, Names()))
}

// Mixed draws from several strategies in proportion to their weights, by name.
// One that is exhausted leaves its share to the others, and the mix is
// exhausted when all are; a candidate keeps the name of the strategy that made
// it. Without weights it is every strategy that the source has something for,
// with the weights of Kinds. A weight that is not positive is an error.
func Mixed(from Source, weights map[string]float64, o Options) (Strategy, error) {
	m := &mixed{}
	if len(weights) == 0 {
		for _, k := range Kinds() {
			s, err := k.open(from, o)
			if none := (*UnavailableError)(nil); errors.As(err, &none) {
				continue
			}
			if err != nil {
				return nil, err
			}
			m.parts = append(m.parts, share{s, k.Weight})
		}
		return m, nil
	}
	for _, name := range sorted(weights, func(a, b string) bool { return a < b }) {
		if _, err := kind(name); err != nil {
			return nil, err
		}
		if !(weights[name] > 0) {
			return nil, fmt.Errorf("the weight of strategy %s is %g; it must be over 0", name, weights[name])
		}
		s, err := New(name, from, o)
		if err != nil {
			return nil, err
		}
		m.parts = append(m.parts, share{s, weights[name]})
	}
	return m, nil
}

type mixed struct{ parts []share }

type share struct {
	Strategy
	weight float64
}

// Name implements Strategy; candidates have the names of their makers.
func (*mixed) Name() string { return "mixed" }

// Propose implements Strategy.
func (m *mixed) Propose(ctx context.Context, r *rand.Rand) (Proposal, error) {
	for len(m.parts) > 0 {
		total := 0.0
		for _, p := range m.parts {
			total += p.weight
		}
		i, x := 0, r.Float64()*total
		for x -= m.parts[0].weight; x >= 0 && i < len(m.parts)-1; x -= m.parts[i].weight {
			i++
		}
		p, err := m.parts[i].Propose(ctx, r)
		if !errors.Is(err, ErrExhausted) {
			return p, err
		}
		m.parts = slices.Delete(m.parts, i, i+1)
	}
	return Proposal{}, ErrExhausted
}
