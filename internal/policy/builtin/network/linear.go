package network

import (
	"math"
	"slices"
)

// Features is how many weights the linear part has; hashed features are taken
// modulo it (the hashing trick, Weinberger et al., ICML 2009).
const Features = 1 << 18

// Linear ranks moves by their hashed features alone: a baseline, a filter in
// front of the network, and the network's own linear part. It learns by
// FTRL-proximal (McMahan et al., KDD 2013), one update a problem. Any number
// may score at once, but nobody while it learns.
type Linear struct {
	// Rate is FTRL's α, Sparsity its λ1: how much a feature must say before it
	// has a weight at all. Decay is λ2. They may be changed between updates.
	Rate, Sparsity, Decay float64

	weight, z, n []float32
	sum          sparse
	scores, grad []float32
}

// decay is FTRL's λ2, hardly any.
const decay = 1e-4

// NewLinear gives one that ranks all moves alike.
func NewLinear() *Linear {
	return &Linear{Rate: 0.1, Decay: decay,
		weight: make([]float32, Features), z: make([]float32, Features), n: make([]float32, Features)}
}

// Clone gives a copy that learning does not change.
func (l *Linear) Clone() *Linear {
	return &Linear{Rate: l.Rate, Sparsity: l.Sparsity, Decay: l.Decay,
		weight: slices.Clone(l.weight), z: slices.Clone(l.z), n: slices.Clone(l.n)}
}

// Score writes each move's unnormalised log score.
func (l *Linear) Score(moves []Move, out []float32) {
	clear(out[:len(moves)])
	l.add(moves, out)
}

func (l *Linear) add(moves []Move, out []float32) {
	w := (*[Features]float32)(l.weight)
	for i := range moves {
		s := float32(0)
		for _, f := range moves[i].Hash {
			s += w[f%Features]
		}
		out[i] += s
	}
}

// Train learns from one problem, whose moves alone it reads, and gives its loss
// before the update; see Trainer.Add for targets and entropy.
func (l *Linear) Train(p *Problem, targets []Target, entropy float32) (float64, error) {
	if err := checkTargets(targets, len(p.Moves)); err != nil {
		return 0, err
	}
	l.scores = sized(l.scores, len(p.Moves))
	l.grad = sized(l.grad, len(p.Moves))
	l.Score(p.Moves, l.scores)
	for i := range p.Moves {
		l.scores[i] += p.Moves[i].Base
	}
	loss := choice(l.scores, targets, entropy, l.grad)
	for i := range p.Moves {
		l.sum.add(p.Moves[i].Hash, l.grad[i])
	}
	l.update(&l.sum, 1)
	return loss, nil
}

// update takes one step against scale times the gradient, and empties it.
func (l *Linear) update(s *sparse, scale float64) {
	for _, f := range s.touched {
		g := float64(s.sum[f]) * scale
		s.sum[f] = 0
		if g == 0 { // it cancelled out, or was here before
			continue
		}
		ftrl(&l.weight[f], &l.z[f], &l.n[f], g, l.Rate, 1, l.Sparsity, l.Decay)
	}
	s.touched = s.touched[:0]
}

// ftrl takes one step of a weight against a gradient: z sums gradients, n their squares. start is
// FTRL's β: against gradients that are small beside it the first steps are small.
func ftrl(weight, z, n *float32, g, rate, start, sparsity, decay float64) {
	was := float64(*n)
	root := math.Sqrt(was + g*g)
	sum := float64(*z) + g - (root-math.Sqrt(was))/rate*float64(*weight)
	*z, *n = float32(sum), float32(was+g*g)
	switch {
	case sum > sparsity:
		sum -= sparsity
	case sum < -sparsity:
		sum += sparsity
	default:
		sum = 0
	}
	*weight = float32(-sum / ((start+root)/rate + decay))
}

// sparse is a gradient by hashed features. A feature may be touched twice.
type sparse struct {
	sum     []float32
	touched []uint32
}

func (s *sparse) add(hash []uint32, g float32) {
	if g == 0 {
		return
	}
	if s.sum == nil {
		s.sum = make([]float32, Features)
	}
	for _, f := range hash {
		f %= Features
		if s.sum[f] == 0 {
			s.touched = append(s.touched, f)
		}
		s.sum[f] += g
	}
}

// merge adds another gradient, and empties that.
func (s *sparse) merge(o *sparse) {
	for _, f := range o.touched {
		s.add([]uint32{f}, o.sum[f])
		o.sum[f] = 0
	}
	o.touched = o.touched[:0]
}

// drop empties it.
func (s *sparse) drop() {
	for _, f := range s.touched {
		s.sum[f] = 0
	}
	s.touched = s.touched[:0]
}

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
