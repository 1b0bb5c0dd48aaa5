package engine

import (
	"context"
)

// reduces trains two models of the same seed on the same data, once with the
// weights of every other sequence tripled. Adam's first step knows directions and
// no scale: the models are the same if and only if each sequence's loss is
// divided by its weights.
func (p *prober) reduces(ctx context.Context) error {
	var after [2][]float64
	for i, weight := range []float32{1, 3} {
		err := p.with(ctx, ModelOptions{Base: p.base, Seed: 2}, func(ctx context.Context, m *Model) (err error) {
			data := p.data(func(int) float32 { return 0 })
			for n := range data {
				for j := range data[n].Weights {
					if n%2 == 1 {
						data[n].Weights[j] *= weight
					}
				}
			}
			if _, _, err = m.ForwardBackward(ctx, data, "cross_entropy", nil); err != nil {
				return err
			}
			if err = m.Step(ctx, 10*probeRate); err != nil {
				return err
			}
			after[i], err = p.answered(ctx, m)
			return err
		})
		if err != nil {
			return err
		}
	}
	if most, _ := apart(after[0], after[1]); most > p.tolerance() {
		p.Profile.Reduction = "sum"
		p.note("reduction", "losses are summed over tokens")
	} else {
		p.Profile.Reduction = "mean"
		p.note("reduction", "each sequence's loss is divided by the sum of its weights: long answers count less a token")
	}
	return nil
}

// unembeds trains two models of the same seed, one without the output layer.
func (p *prober) unembeds(ctx context.Context) error {
	var after [2][]float64
	for i := range after {
		err := p.with(ctx, ModelOptions{Base: p.base, Seed: 3, noUnembed: i == 1}, func(ctx context.Context, m *Model) (err error) {
			for range 2 { // adapters begin with a factor of zero: the other one learns from the second step
				if err = p.step(ctx, m); err != nil {
					return err
				}
			}
			after[i], err = p.answered(ctx, m)
			return err
		})
		if err != nil {
			return err
		}
	}
	most, _ := apart(after[0], after[1])
	p.Profile.Unembed = most > p.tolerance()
	if p.Profile.Unembed {
		p.note("output layer", "it is trained when train_unembed asks for it")
	} else {
		p.note("output layer", "train_unembed changes nothing: mostly, that it is never trained")
	}
	return nil
}

// takesAnyBase asks for a model that cannot be there.
func (p *prober) takesAnyBase(ctx context.Context) error {
	const wrong = "breakfix/no-such-model"
	real := p.srv.Models
	p.srv.Models = []string{wrong}
	m, err := p.srv.New(ctx, ModelOptions{Base: wrong, Seed: 1})
	p.srv.Models = real
	if err != nil {
		if k := KindOf(err); k == Absent || k == Slow || ctx.Err() != nil {
			return err
		}
		p.note("wrong base model", "it is refused")
		return nil
	}
	p.note("wrong base model", "it is accepted without a word: breakfix compares the name with what the server says that it serves")
	return m.Close()
}
