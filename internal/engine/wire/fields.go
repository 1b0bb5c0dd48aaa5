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
