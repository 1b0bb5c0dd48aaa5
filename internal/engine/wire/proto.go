package wire

import (
	"encoding/binary"
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

var errCut = errors.New("the protobuf message is cut off or damaged")

// field is one field of a message: either a number or bytes.
type field struct {
	num   protowire.Number
	value uint64
	bytes []byte
}

// fields calls do for each field of a message.
func fields(b []byte, do func(field) error) error {
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errCut
		}
		b = b[n:]
		f := field{num: num}
		switch kind {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			f.value, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, kind, b)
		}
		if n < 0 {
			return errCut
		}
		b = b[n:]
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

func putBytes(b []byte, num protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
}

func putNumber(b []byte, num protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}

func putDoubles(b []byte, num protowire.Number, m map[string]float64) []byte {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		entry := putBytes(nil, 1, []byte(k))
		entry = protowire.AppendFixed64(protowire.AppendTag(entry, 2, protowire.Fixed64Type), math.Float64bits(m[k]))
		b = putBytes(b, num, entry)
	}
	return b
}

// entry reads a map's entry: its key, and its value as a field.
func entry(b []byte) (key string, value field, err error) {
	err = fields(b, func(f field) error {
		if f.num == 1 {
			key = string(f.bytes)
		} else if f.num == 2 {
			value = f
		}
		return nil
	})
	return key, value, err
}

func int32Bytes(ids []int32) []byte {
	b := make([]byte, 0, 4*len(ids))
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
	}
	return b
}

func bytesInt32(b []byte) ([]int32, error) {
	if len(b)%4 != 0 {
		return nil, errCut
	}
	out := make([]int32, len(b)/4)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out, nil
}

func floatBytes(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}

func int64Bytes(v []int64) []byte {
	b := make([]byte, 0, 8*len(v))
	for _, i := range v {
		b = binary.LittleEndian.AppendUint64(b, uint64(i))
	}
	return b
}

// tensor reads an array of one of the four types.
func tensor(b []byte, dtype uint64) (t Tensor, err error) {
	width := map[uint64]int{dtypeFloat32: 4, dtypeInt64: 8, dtypeInt32: 4, dtypeBFloat16: 2}[dtype]
	if width == 0 {
		return t, fmt.Errorf("a tensor of dtype %d", dtype)
	}
	if len(b)%width != 0 {
		return t, errCut
	}
	n := len(b) / width
	switch dtype {
	case dtypeFloat32, dtypeBFloat16:
		t.Floats = make([]float32, n)
	default:
		t.Ints = make([]int64, n)
	}
	for i := range n {
		at := b[i*width:]
		switch dtype {
		case dtypeFloat32:
			t.Floats[i] = math.Float32frombits(binary.LittleEndian.Uint32(at))
		case dtypeBFloat16: // the upper half of a float32
			t.Floats[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(at)) << 16)
		case dtypeInt64:
			t.Ints[i] = int64(binary.LittleEndian.Uint64(at))
		case dtypeInt32:
			t.Ints[i] = int64(int32(binary.LittleEndian.Uint32(at)))
		}
	}
	return t, nil
}

// raw is a tensor's bytes and their type.
func (t Tensor) raw() ([]byte, uint64) {
	if t.Ints != nil {
		return int64Bytes(t.Ints), dtypeInt64
	}
	return floatBytes(t.Floats), dtypeFloat32
}

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
