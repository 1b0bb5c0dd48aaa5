package llm

import (
	"fmt"

	"breakfix/internal/engine"
)

// Data turns a play into what a server learns from. Turns are one sequence as
// long as each prompt begins with all that went before, else another one
// begins. Every token that was sampled stands in exactly one sequence, with
// weight 1, its own log-probability and the advantage; all else has 0. A play
// whose server told no token ids is an error.
func (p *Play) Data(advantage float64) ([]engine.Datum, error) {
	var all []engine.Datum
	var seq, prompt []int32
	var mask []bool
	var probs []float32
	flush := func() {
		if n := len(seq) - 1; n > 0 {
			d := engine.Datum{Tokens: seq[:n:n], Targets: append([]int32(nil), seq[1:]...),
				Weights: make([]float32, n), LogProbs: make([]float32, n), Advantages: make([]float32, n)}
			for i := range n {
				if mask[i+1] {
					d.Weights[i], d.LogProbs[i], d.Advantages[i] = 1, probs[i+1], float32(advantage)
				}
			}
			all = append(all, d)
		}
		seq, mask, probs = nil, nil, nil
	}
	for i, t := range p.Turns {
		if len(t.Tokens) != len(t.LogProbs) || len(t.Tokens) == 0 && t.Written > 0 {
			return nil, fmt.Errorf("step %d has %d token ids and %d log-probabilities: the server does not tell what was sampled", i+1, len(t.Tokens), len(t.LogProbs))
		}
		prompt = append(prompt[:min(t.Same, len(prompt))], t.New...)
		if t.Same < len(seq) || len(prompt) == 0 {
			flush()
		}
		for _, id := range prompt[len(seq):] {
			seq, mask, probs = append(seq, id), append(mask, false), append(probs, 0)
		}
		for k, id := range t.Tokens {
			seq, mask, probs = append(seq, id), append(mask, len(seq) > 0), append(probs, t.LogProbs[k])
		}
		prompt = append(prompt, t.Tokens...)
	}
	flush()
	return all, nil
}
