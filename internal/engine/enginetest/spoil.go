package enginetest

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"

	"breakfix/internal/engine/wire"
)

// spoil damages the log-probabilities of a result.
func spoil(kind string, body []byte, what string) []byte {
	hurt := func(p []float32) []float32 {
		switch {
		case len(p) == 0:
			return p
		case what == Few:
			return p[:len(p)-1]
		}
		p = slices.Clone(p)
		p[len(p)/2] = float32(math.NaN())
		return p
	}
	var sample wire.SampleResult
	var pass wire.PassResult
	if kind == wire.Protobuf {
		if got, err := wire.SampleResultFromProto(body); err == nil && len(got.Sequences) > 0 && len(got.Sequences[0].Tokens) > 0 {
			got.Sequences[0].LogProbs = hurt(got.Sequences[0].LogProbs)
			return got.Proto()
		}
		if got, err := wire.PassResultFromProto(body); err == nil && len(got.Outputs) > 0 {
			got.Outputs[0]["logprobs"] = wire.Tensor{Floats: hurt(got.Outputs[0]["logprobs"].Floats)}
			return got.Proto()
		}
		return body
	}
	if json.Unmarshal(body, &sample) == nil && len(sample.Sequences) > 0 {
		return pythonNaN(hurtSequence(sample, hurt))
	}
	if json.Unmarshal(body, &pass) == nil && len(pass.Outputs) > 0 {
		pass.Outputs[0]["logprobs"] = wire.Tensor{Floats: hurt(pass.Outputs[0]["logprobs"].Floats)}
		return pythonNaN(marshal(pass))
	}
	return body
}

// hurtSequence writes a sample's JSON with null where it is not finite.
func hurtSequence(got wire.SampleResult, hurt func([]float32) []float32) []byte {
	var all []object
	for i, q := range got.Sequences {
		p := q.LogProbs
		if i == 0 {
			p = hurt(p)
		}
		numbers := make([]any, len(p))
		for j, v := range p {
			if numbers[j] = v; math.IsNaN(float64(v)) {
				numbers[j] = nil
			}
		}
		all = append(all, object{"stop_reason": q.Stopped, "tokens": q.Tokens, "logprobs": numbers})
	}
	return marshal(object{"sequences": all})
}

// pythonNaN writes NaN as Python's json does, which is no JSON.
func pythonNaN(b []byte) []byte { return bytes.ReplaceAll(b, []byte("null"), []byte("NaN")) }

// marshal writes what is our own and has a JSON form.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
