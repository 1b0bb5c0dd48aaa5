package network

import "math"

// real is what the mathematics is written over: float32 in use, float64 where
// a test compares gradients with differences.
type real interface{ float32 | float64 }

// choice gives the loss of a choice among scored moves and writes its gradient
// by each score. With p the softmax of the scores and H its entropy,
//
//	loss = −Σ weight·log p(target) − entropy·H(p)
//
// which is cross-entropy for weights 1/k of k right moves and REINFORCE
// (Williams 1992) for an advantage.
func choice[T real](scores []T, targets []Target, entropy float32, grad []T) float64 {
	if len(scores) == 0 {
		return 0
	}
	top := scores[0]
	for _, s := range scores {
		top = max(top, s)
	}
	sum := 0.0
	for i, s := range scores {
		e := math.Exp(float64(s - top))
		grad[i] = T(e)
		sum += e
	}
	log, all := math.Log(sum), 0.0
	loss := 0.0
	for _, t := range targets {
		w := float64(t.Weight)
		loss -= w * (float64(scores[t.Move]-top) - log)
		all += w
	}
	h := 0.0
	if entropy != 0 {
		for i, s := range scores {
			h -= float64(grad[i]) / sum * (float64(s-top) - log)
		}
		loss -= float64(entropy) * h
	}
	for i, s := range scores {
		p := float64(grad[i]) / sum
		g := all * p
		if entropy != 0 {
			g += float64(entropy) * p * (float64(s-top) - log + h)
		}
		grad[i] = T(g)
	}
	for _, t := range targets {
		grad[t.Move] -= T(t.Weight)
	}
	return loss
}
