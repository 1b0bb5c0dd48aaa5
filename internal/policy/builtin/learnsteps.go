package builtin

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"breakfix/internal/policy/builtin/network"
)

// stepsFor is how many steps a batch is good for.
func stepsFor(lessons int) int { return (learnPasses*lessons + learnBatch - 1) / learnBatch }

// teach takes steps on a batch, in an order that is drawn with the seed; each step
// has its share of the damages too, so that what was known is not forgotten.
func teach(ctx context.Context, model *network.Model, rate float64, lessons []*lesson, damages []kept, seed uint64) error {
	trainer := network.NewTrainer(model, shards)
	r := rand.New(rand.NewPCG(seed, 0x6c6561726e))
	steps := stepsFor(len(lessons))
	var order []int
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		for len(order) < learnBatch && len(order) < learnPasses*len(lessons) {
			order = append(order, r.Perm(len(lessons))...)
		}
		n := min(learnBatch, len(order))
		for _, i := range order[:n] {
			l := lessons[i]
			problem := l.problem.Unpack()
			if err := trainer.Add(problem, l.targets, price(model, problem), &l.solved); err != nil {
				return err
			}
		}
		order = order[n:]
		for _, d := range damages[len(damages)*step/steps : len(damages)*(step+1)/steps] {
			ex := d.example()
			if err := trainer.Add(ex.Problem, ex.Targets, 0, nil); err != nil {
				return err
			}
		}
		// The first steps of Adam are the size of the rate whatever the gradient.
		if _, err := trainer.Step(rate * min(1, float64(step+1)/4)); err != nil {
			return err
		}
	}
	return nil
}

// damages makes up to n examples of the code that Begin was shown, others for
// each seed; none where there is no code.
func (p *Policy) damages(ctx context.Context, n int, seed uint64) ([]kept, error) {
	out := make([]kept, n)
	makers := make([]*Corruptor, shards)
	for w := range makers {
		makers[w] = NewCorruptor(nil, seed+uint64(w))
		makers[w].of = p.code
	}
	err := split(ctx, n, func(i int) error {
		if ex := makers[i%shards].Next(); ex != nil {
			out[i] = keep(ex)
		}
		return nil
	})
	return slices.DeleteFunc(out, func(k kept) bool { return k.problem == nil }), err
}

// price is what a nat of entropy is worth: more, the further the choice is
// below the floor; nothing above it.
func price(m *network.Model, p *network.Problem) float32 {
	scores := make([]float32, len(p.Moves))
	m.Score(m.Encode(p), p.Moves, scores)
	logs := make([]float64, len(scores))
	for i, s := range scores {
		logs[i] = float64(s)
	}
	normalise(logs)
	return float32(learnEntropy * math.Max(0, 1-entropyOf(logs)/learnFloor))
}
