package wire

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of DType.
const (
	dtypeFloat32  = 1
	dtypeInt64    = 2
	dtypeInt32    = 3
	dtypeBFloat16 = 4
)

func (t Tensor) proto() []byte {
	data, dtype := t.raw()
	b := putNumber(putBytes(nil, 1, data), 3, dtype)
	return putBytes(b, 4, protowire.AppendVarint(nil, uint64(t.Len()))) // shape, packed
}

func tensorFromProto(b []byte) (Tensor, error) {
	var data []byte
	var dtype uint64
	sparse := false
	err := fields(b, func(f field) error {
		switch f.num {
		case 1:
			data = f.bytes
		case 2:
			sparse = true
		case 3:
			dtype = f.value
		}
		return nil
	})
	if err == nil && sparse {
		err = errors.New("a sparse tensor")
	}
	if err != nil {
		return Tensor{}, err
	}
	return tensor(data, dtype)
}

// Proto is the body of forward_backward as protobuf.
func (p Pass) Proto() []byte {
	b := putBytes(nil, 1, []byte(p.Model))
	b = putNumber(b, 2, uint64(p.Seq))
	for _, d := range p.Data {
		text := putBytes(nil, 1, int32Bytes(d.Tokens)) // EncodedText
		datum := putBytes(nil, 1, putBytes(nil, 1, text))
		for _, name := range slices.Sorted(maps.Keys(d.Inputs)) {
			datum = putBytes(datum, 2, putBytes(putBytes(nil, 1, []byte(name)), 2, d.Inputs[name].proto()))
		}
		b = putBytes(b, 3, datum)
	}
	b = putDoubles(putBytes(b, 4, []byte(p.Loss)), 5, p.Config)
	if p.ForwardOnly {
		b = putNumber(b, 6, 1)
	}
	return b
}

// PassFromProto reads the body of forward_backward.
func PassFromProto(b []byte) (p Pass, err error) {
	err = fields(b, func(f field) error {
		switch f.num {
		case 1:
			p.Model = string(f.bytes)
		case 2:
			p.Seq = int(int32(f.value))
		case 3:
			d, err := datumFromProto(f.bytes)
			p.Data = append(p.Data, d)
			return err
		case 4:
			p.Loss = string(f.bytes)
		case 5:
			k, v, err := entry(f.bytes)
			if p.Config == nil {
				p.Config = map[string]float64{}
			}
			p.Config[k] = math.Float64frombits(v.value)
			return err
		case 6:
			p.ForwardOnly = f.value != 0
		}
		return nil
	})
	return p, err
}

func datumFromProto(b []byte) (d Datum, err error) {
	d.Inputs = map[string]Tensor{}
	err = fields(b, func(f field) error {
		switch f.num {
		case 1: // Chunk
			return fields(f.bytes, func(chunk field) error {
				if chunk.num != 1 {
					return fmt.Errorf("a chunk that is no text (field %d)", chunk.num)
				}
				return fields(chunk.bytes, func(text field) error {
					ids, err := bytesInt32(text.bytes)
					d.Tokens = append(d.Tokens, ids...)
					return err
				})
			})
		case 2:
			name, v, err := entry(f.bytes)
			if err != nil {
				return err
			}
			d.Inputs[name], err = tensorFromProto(v.bytes)
			return err
		}
		return nil
	})
	return d, err
}

// Proto is the answer of forward_backward: one record whose fields hold the
// arrays of all data, one after the other.
func (r PassResult) Proto() []byte {
	b := putBytes(nil, 1, []byte(r.Type))
	if len(r.Outputs) > 0 {
		var record []byte
		for _, name := range slices.Sorted(maps.Keys(r.Outputs[0])) {
			var data []byte
			offsets, dtype := []int64{0}, uint64(0)
			for _, out := range r.Outputs {
				part, kind := out[name].raw()
				data, dtype = append(data, part...), kind
				offsets = append(offsets, int64(len(data)))
			}
			batched := putNumber(putBytes(putBytes(nil, 1, data), 2, int64Bytes(offsets)), 3, dtype)
			record = putBytes(record, 2, putBytes(putBytes(nil, 1, []byte(name)), 2, batched))
		}
		b = putBytes(b, 2, putNumber(record, 3, uint64(len(r.Outputs))))
	}
	return putDoubles(b, 3, r.Metrics)
}

// PassResultFromProto reads the answer of forward_backward.
func PassResultFromProto(b []byte) (r PassResult, err error) {
	r.Metrics = map[string]float64{}
	err = fields(b, func(f field) error {
		switch f.num {
		case 1:
			r.Type = string(f.bytes)
		case 2:
			more, err := recordFromProto(f.bytes)
			r.Outputs = append(r.Outputs, more...)
			return err
		case 3:
			k, v, err := entry(f.bytes)
			r.Metrics[k] = math.Float64frombits(v.value)
			return err
		}
		return nil
	})
	return r, err
}

// recordFromProto splits one ArrayRecord into the outputs of its data.
func recordFromProto(b []byte) (out []map[string]Tensor, err error) {
	grow := func(n int) {
		for len(out) < n {
			out = append(out, map[string]Tensor{})
		}
	}
	err = fields(b, func(f field) error {
		switch f.num {
		case 2:
			name, v, err := entry(f.bytes)
			if err != nil {
				return err
			}
			parts, err := batchedFromProto(v.bytes)
			if err != nil {
				return err
			}
			grow(len(parts))
			for i, t := range parts {
				out[i][name] = t
			}
		case 3:
			if f.value > 1<<24 {
				return errCut
			}
			grow(int(f.value))
		}
		return nil
	})
	return out, err
}

func batchedFromProto(b []byte) ([]Tensor, error) {
	var data, offsets []byte
	var dtype uint64
	err := fields(b, func(f field) error {
		switch f.num {
		case 1:
			data = f.bytes
		case 2:
			offsets = f.bytes
		case 3:
			dtype = f.value
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	at, err := tensor(offsets, dtypeInt64)
	if err != nil {
		return nil, err
	}
	var parts []Tensor
	for i := 1; i < len(at.Ints); i++ {
		from, to := at.Ints[i-1], at.Ints[i]
		if from < 0 || to < from || to > int64(len(data)) {
			return nil, errCut
		}
		t, err := tensor(data[from:to], dtype)
		if err != nil {
			return nil, err
		}
		parts = append(parts, t)
	}
	return parts, nil
}

// Proto is the answer of asample.
func (r SampleResult) Proto() []byte {
	var b []byte
	for _, s := range r.Sequences {
		var seq []byte
		if s.Stopped == "length" {
			seq = putNumber(seq, 1, 1)
		}
		b = putBytes(b, 1, putBytes(putBytes(seq, 2, int32Bytes(s.Tokens)), 3, floatBytes(s.LogProbs)))
	}
	if r.Prompt != nil {
		all := make([]float32, len(r.Prompt))
		for i, p := range r.Prompt {
			if all[i] = float32(math.NaN()); p != nil {
				all[i] = *p
			}
		}
		b = putBytes(b, 2, floatBytes(all))
	}
	return b
}

// SampleResultFromProto reads the answer of asample.
func SampleResultFromProto(b []byte) (r SampleResult, err error) {
	err = fields(b, func(f field) error {
		switch f.num {
		case 1:
			s, err := sequenceFromProto(f.bytes)
			r.Sequences = append(r.Sequences, s)
			return err
		case 2:
			t, err := tensor(f.bytes, dtypeFloat32)
			for i := range t.Floats {
				p := &t.Floats[i]
				if math.IsNaN(float64(*p)) {
					p = nil
				}
				r.Prompt = append(r.Prompt, p)
			}
			return err
		}
		return nil
	})
	return r, err
}

func sequenceFromProto(b []byte) (s Sequence, err error) {
	s.Stopped = "stop"
	err = fields(b, func(f field) (err error) {
		switch f.num {
		case 1:
			if f.value == 1 {
				s.Stopped = "length"
			} else if f.value != 0 {
				err = fmt.Errorf("a stop reason %d", f.value)
			}
		case 2:
			s.Tokens, err = bytesInt32(f.bytes)
		case 3:
			var t Tensor
			t, err = tensor(f.bytes, dtypeFloat32)
			s.LogProbs = t.Floats
		}
		return err
	})
	return s, err
}
