package engine

import (
	"fmt"
	"math"
	"slices"

	"breakfix/internal/engine/wire"
)

// losses and the arrays that each takes, as the protocol names them.
var losses = map[string][]string{
	"cross_entropy":       {"weights"},
	"importance_sampling": {"logprobs", "advantages"},
	"ppo":                 {"logprobs", "advantages"},
	"cispo":               {"logprobs", "advantages"},
}

// Check refuses what servers would train on without a word: arrays of another
// length than the tokens, numbers that are not finite, ids outside the
// vocabulary (0: not known), and an unknown loss.
func Check(data []Datum, loss string, vocabulary int) error {
	inputs, ok := losses[loss]
	if !ok {
		return fmt.Errorf("there is no loss %q: cross_entropy, importance_sampling, ppo and cispo are known", loss)
	}
	if len(data) == 0 {
		return fmt.Errorf("there is nothing to train on: no data")
	}
	for i, d := range data {
		if why := d.wrong(inputs, vocabulary); why != "" {
			return &DataError{i, why}
		}
	}
	return nil
}

func (d Datum) wrong(inputs []string, vocabulary int) string {
	n := len(d.Tokens)
	if n == 0 {
		return "it has no tokens"
	}
	if len(d.Targets) != n {
		return fmt.Sprintf("%d targets for %d tokens", len(d.Targets), n)
	}
	for what, ids := range map[string][]int32{"token": d.Tokens, "target": d.Targets} {
		for i, id := range ids {
			if id < 0 || vocabulary > 0 && int(id) >= vocabulary {
				return fmt.Sprintf("%s %d is %d, outside the vocabulary of %d", what, i, id, vocabulary)
			}
		}
	}
	for _, name := range []string{"weights", "logprobs", "advantages"} {
		array := d.array(name)
		if len(array) != n && (len(array) > 0 || slices.Contains(inputs, name)) {
			return fmt.Sprintf("%d %s for %d tokens", len(array), name, n)
		}
		for i, v := range array {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Sprintf("%s %d is %v", name, i, v)
			}
			if name == "logprobs" && v > 1e-3 {
				return fmt.Sprintf("log-probability %d is %v, over 0", i, v)
			}
		}
	}
	return ""
}

func (d Datum) array(name string) []float32 {
	switch name {
	case "weights":
		return d.Weights
	case "logprobs":
		return d.LogProbs
	}
	return d.Advantages
}

// onWire is a datum as the protocol has it, with the arrays that its loss takes.
func (d Datum) onWire(loss string) wire.Datum {
	out := wire.Datum{Tokens: d.Tokens, Inputs: map[string]wire.Tensor{"target_tokens": wire.Whole(d.Targets)}}
	for _, name := range losses[loss] {
		out.Inputs[name] = wire.Tensor{Floats: d.array(name)}
	}
	return out
}

// checkPass says whether the answer of a pass fits the data.
func checkPass(got wire.PassResult, data []Datum) ([][]float32, string) {
	if len(got.Outputs) != len(data) {
		return nil, fmt.Sprintf("%d results for %d data", len(got.Outputs), len(data))
	}
	all := make([][]float32, len(data))
	for i, out := range got.Outputs {
		all[i] = out["logprobs"].AsFloats()
		if why := badLogProbs(all[i], len(data[i].Tokens)); why != "" {
			return nil, fmt.Sprintf("of datum %d: %s", i, why)
		}
	}
	return all, ""
}

func badLogProbs(p []float32, tokens int) string {
	if len(p) != tokens {
		return fmt.Sprintf("%d log-probabilities for %d tokens", len(p), tokens)
	}
	for i, v := range p {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 1) || v > 1e-3 {
			return fmt.Sprintf("log-probability %d is %v", i, v)
		}
	}
	return ""
}
