// Package wire is the Tinker protocol's array messages in both dialects: all
// JSON, and JSON with protobuf arrays (package tinker_public; the field numbers
// are those of the published client, tinker 0.24 to 0.38).
//
// Both directions are here, so that the client and the conformance server read
// what the other writes; that neither is a private dialect is shown by the
// published client, which is tested against the server.
package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Content types of bodies.
const (
	JSON     = "application/json"
	Protobuf = "application/x-protobuf"
)

// Tensor is a flat array: of whole numbers or of float32, never both.
type Tensor struct {
	Ints   []int64
	Floats []float32
}

// Whole is a tensor of whole numbers.
func Whole(ids []int32) Tensor {
	t := Tensor{Ints: make([]int64, len(ids))}
	for i, id := range ids {
		t.Ints[i] = int64(id)
	}
	return t
}

// Len is the number of elements.
func (t Tensor) Len() int { return max(len(t.Ints), len(t.Floats)) }

// AsFloats are the elements as float32.
func (t Tensor) AsFloats() []float32 {
	if t.Ints == nil {
		return t.Floats
	}
	out := make([]float32, len(t.Ints))
	for i, v := range t.Ints {
		out[i] = float32(v)
	}
	return out
}

// AsInts are the elements as whole numbers; one that is none is an error.
func (t Tensor) AsInts() ([]int64, error) {
	if t.Floats == nil {
		return t.Ints, nil
	}
	out := make([]int64, len(t.Floats))
	for i, v := range t.Floats {
		if out[i] = int64(v); float32(out[i]) != v {
			return nil, fmt.Errorf("element %d is %v, which is no whole number", i, v)
		}
	}
	return out, nil
}

type jsonTensor struct {
	Data  json.RawMessage `json:"data"`
	DType string          `json:"dtype"`
	Shape []int           `json:"shape"`
}

// MarshalJSON writes {data, dtype, shape}. What is not finite becomes null.
func (t Tensor) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	dtype := "float32"
	for i, v := range t.Floats {
		if i > 0 {
			b = append(b, ',')
		}
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendFloat(b, f, 'g', -1, 32)
		}
	}
	if t.Ints != nil {
		dtype = "int64"
		for i, v := range t.Ints {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, v, 10)
		}
	}
	return json.Marshal(jsonTensor{append(b, ']'), dtype, []int{t.Len()}})
}

// UnmarshalJSON reads {data, dtype}; null is NaN. Without a dtype the numbers
// tell which it is.
func (t *Tensor) UnmarshalJSON(b []byte) error {
	var raw struct {
		Data  []*json.Number `json:"data"`
		DType string         `json:"dtype"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*t = Tensor{}
	if raw.DType == "int64" || raw.DType == "" && allWhole(raw.Data) {
		t.Ints = make([]int64, len(raw.Data))
		for i, n := range raw.Data {
			if n == nil {
				return fmt.Errorf("element %d of a tensor of whole numbers is null", i)
			}
			v, err := strconv.ParseInt(n.String(), 10, 64)
			if err != nil {
				return fmt.Errorf("element %d of a tensor of whole numbers is %s", i, n)
			}
			t.Ints[i] = v
		}
		return nil
	}
	t.Floats = make([]float32, len(raw.Data))
	for i, n := range raw.Data {
		t.Floats[i] = float(n)
	}
	return nil
}

func allWhole(data []*json.Number) bool {
	for _, n := range data {
		if n == nil {
			return false
		}
		if _, err := strconv.ParseInt(n.String(), 10, 64); err != nil {
			return false
		}
	}
	return true
}

func float(n *json.Number) float32 {
	if n == nil {
		return float32(math.NaN())
	}
	v, err := strconv.ParseFloat(n.String(), 32)
	if err != nil && v == 0 {
		return float32(math.NaN())
	}
	return float32(v)
}

// Datum is one sequence: its tokens and the arrays that the loss takes.
type Datum struct {
	Tokens []int32
	Inputs map[string]Tensor
}

// Chunk and Input are how JSON writes a prompt.
type Chunk struct {
	Type   string  `json:"type"`
	Tokens []int32 `json:"tokens"`
}

// Input is a prompt.
type Input struct {
	Chunks []Chunk `json:"chunks"`
}

// Prompt is an input of one chunk.
func Prompt(tokens []int32) Input {
	return Input{[]Chunk{{"encoded_text", tokens}}}
}

// Tokens are those of all chunks; a chunk that is no text is an error.
func (in Input) Tokens() ([]int32, error) {
	var all []int32
	for _, c := range in.Chunks {
		if c.Type != "encoded_text" && c.Type != "" {
			return nil, fmt.Errorf("a chunk of type %q", c.Type)
		}
		all = append(all, c.Tokens...)
	}
	return all, nil
}

type jsonDatum struct {
	Input  Input             `json:"model_input"`
	Inputs map[string]Tensor `json:"loss_fn_inputs"`
}

// MarshalJSON writes {model_input, loss_fn_inputs}.
func (d Datum) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonDatum{Prompt(d.Tokens), d.Inputs})
}

// UnmarshalJSON reads it.
func (d *Datum) UnmarshalJSON(b []byte) (err error) {
	var raw jsonDatum
	if err = json.Unmarshal(b, &raw); err != nil {
		return err
	}
	d.Inputs = raw.Inputs
	d.Tokens, err = raw.Input.Tokens()
	return err
}

// Pass is a request of forward or forward_backward.
type Pass struct {
	Model       string
	Seq         int
	Data        []Datum
	Loss        string
	Config      map[string]float64
	ForwardOnly bool
}

type passInput struct {
	Data   []Datum            `json:"data"`
	Loss   string             `json:"loss_fn"`
	Config map[string]float64 `json:"loss_fn_config,omitempty"`
}

type jsonPass struct {
	Model    string     `json:"model_id"`
	Seq      int        `json:"seq_id"`
	Backward *passInput `json:"forward_backward_input,omitempty"`
	Forward  *passInput `json:"forward_input,omitempty"`
}

// MarshalJSON writes the body of forward_backward, or of forward.
func (p Pass) MarshalJSON() ([]byte, error) {
	out, in := jsonPass{Model: p.Model, Seq: p.Seq}, &passInput{p.Data, p.Loss, p.Config}
	if p.ForwardOnly {
		out.Forward = in
	} else {
		out.Backward = in
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads either body.
func (p *Pass) UnmarshalJSON(b []byte) error {
	var raw jsonPass
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	in := raw.Backward
	if in == nil {
		in = raw.Forward
	}
	if in == nil {
		return fmt.Errorf("neither forward_backward_input nor forward_input")
	}
	*p = Pass{raw.Model, raw.Seq, in.Data, in.Loss, in.Config, raw.Backward == nil}
	return nil
}

// PassResult is what forward and forward_backward answer.
type PassResult struct {
	Type    string              `json:"loss_fn_output_type"`
	Outputs []map[string]Tensor `json:"loss_fn_outputs"`
	Metrics map[string]float64  `json:"metrics"`
}

// Sequence is one sample. LogProbs are natural logarithms, one a token.
type Sequence struct {
	Stopped  string    `json:"stop_reason"` // stop or length
	Tokens   []int32   `json:"tokens"`
	LogProbs []float32 `json:"logprobs"`
}

// UnmarshalJSON reads a sequence; a log-probability of null is NaN.
func (s *Sequence) UnmarshalJSON(b []byte) error {
	var raw struct {
		Stopped  string         `json:"stop_reason"`
		Tokens   []int32        `json:"tokens"`
		LogProbs []*json.Number `json:"logprobs"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*s = Sequence{Stopped: raw.Stopped, Tokens: raw.Tokens}
	for _, n := range raw.LogProbs {
		s.LogProbs = append(s.LogProbs, float(n))
	}
	return nil
}

// SampleResult is what asample answers. Of the prompt's log-probabilities those
// that there are not are nil.
type SampleResult struct {
	Sequences []Sequence `json:"sequences"`
	Prompt    []*float32 `json:"prompt_logprobs,omitempty"`
}
