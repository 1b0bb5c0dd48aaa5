package llm

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
)

// packed is a trajectory's data: what a person may want to query, and the play,
// by digest in Blob or, where nothing keeps blobs, in Inline.
type packed struct {
	Totals
	Blob   string `json:"blob,omitempty"`
	Inline string `json:"inline,omitempty"` // base64
}

// ErrNoPlay says that data holds no play of a model.
var ErrNoPlay = errors.New("it is no game of a model")

// pack writes a play for a trajectory.
func pack(p *Play, blobs Blobs) (json.RawMessage, error) {
	b, err := p.encode()
	if err != nil {
		return nil, err
	}
	d := packed{Totals: p.Totals()}
	if blobs == nil {
		d.Inline = base64.StdEncoding.EncodeToString(b)
	} else if d.Blob, err = blobs.PutBlob(b); err != nil {
		return nil, err
	}
	return json.Marshal(d)
}

// Unpack reads the play of a trajectory's data. The error is ErrNoPlay for the
// data of another policy.
func Unpack(data json.RawMessage, blobs Blobs) (*Play, error) {
	var d packed
	if err := json.Unmarshal(data, &d); err != nil || d.Blob == "" && d.Inline == "" {
		return nil, ErrNoPlay
	}
	var b []byte
	var err error
	switch {
	case d.Inline != "":
		b, err = base64.StdEncoding.DecodeString(d.Inline)
	case blobs == nil:
		return nil, fmt.Errorf("the play %s is kept elsewhere", d.Blob)
	default:
		b, err = blobs.Blob(d.Blob)
	}
	if err != nil {
		return nil, err
	}
	return decodePlay(b)
}

// The form of a play: a magic word, then two deflated sections, each after its
// length, so that unlike things are not mixed. The first is JSON without arrays.
// The second is the tokens: the ids that occur, the most frequent first, all New
// and all Tokens as their ranks there, and LogProbs; of each the lowest bytes of
// all, then the next …, which compresses far better than whole numbers.
const magic = "bfp1"

// mostPlay bounds what a play unpacks to, so that a damaged one costs little.
const mostPlay = 256 << 20

type lengths struct {
	New, Tokens, LogProbs int
}

func (p *Play) encode() ([]byte, error) {
	head := struct {
		*Play
		Lengths []lengths `json:"lengths"`
		IDs     int       `json:"ids"` // that occur
	}{Play: p}
	var added, tokens, probs []uint32
	for _, t := range p.Turns {
		head.Lengths = append(head.Lengths, lengths{len(t.New), len(t.Tokens), len(t.LogProbs)})
		for _, n := range t.New {
			added = append(added, uint32(n))
		}
		for _, n := range t.Tokens {
			tokens = append(tokens, uint32(n))
		}
		for _, f := range t.LogProbs {
			probs = append(probs, math.Float32bits(f))
		}
	}
	occur := ranked(added, tokens)
	head.IDs = len(occur)
	text, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	out := []byte(magic)
	for _, section := range [][]byte{text, slices.Concat(planes(occur), planes(added), planes(tokens), planes(probs))} {
		small, err := deflated(section)
		if err != nil {
			return nil, err
		}
		out = binary.AppendUvarint(out, uint64(len(small)))
		out = append(out, small...)
	}
	return out, nil
}

func decodePlay(b []byte) (*Play, error) {
	damaged := errors.New("the play is cut off or damaged")
	if !bytes.HasPrefix(b, []byte(magic)) {
		return nil, damaged
	}
	b = b[len(magic):]
	var sections [2][]byte
	for i := range sections {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return nil, damaged
		}
		whole, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b[k:k+int(n)])), mostPlay))
		if err != nil {
			return nil, damaged
		}
		sections[i], b = whole, b[k+int(n):]
	}
	p := &Play{}
	head := struct {
		*Play
		Lengths []lengths `json:"lengths"`
		IDs     int       `json:"ids"`
	}{Play: p}
	if err := json.Unmarshal(sections[0], &head); err != nil || len(head.Lengths) != len(p.Turns) {
		return nil, damaged
	}
	var total lengths
	for _, l := range head.Lengths {
		if min(l.New, l.Tokens, l.LogProbs) < 0 || max(l.New, l.Tokens, l.LogProbs) > mostPlay {
			return nil, damaged
		}
		total.New, total.Tokens, total.LogProbs = total.New+l.New, total.Tokens+l.Tokens, total.LogProbs+l.LogProbs
	}
	if head.IDs < 0 || head.IDs > mostPlay || len(sections[1]) != 4*(head.IDs+total.New+total.Tokens+total.LogProbs) {
		return nil, damaged
	}
	rest := sections[1]
	take := func(n int) []uint32 {
		ns := whole(rest[:4*n])
		rest = rest[4*n:]
		return ns
	}
	occur, added, tokens, probs := take(head.IDs), take(total.New), take(total.Tokens), take(total.LogProbs)
	for _, rank := range slices.Concat(added, tokens) {
		if rank >= uint32(len(occur)) {
			return nil, damaged
		}
	}
	for i, l := range head.Lengths {
		t := p.Turns[i]
		t.New, added = ids(occur, added[:l.New]), added[l.New:]
		t.Tokens, tokens = ids(occur, tokens[:l.Tokens]), tokens[l.Tokens:]
		for _, bits := range probs[:l.LogProbs] {
			t.LogProbs = append(t.LogProbs, math.Float32frombits(bits))
		}
		probs = probs[l.LogProbs:]
	}
	return p, nil
}

func ids(occur, ranks []uint32) []int32 {
	var out []int32
	for _, n := range ranks {
		out = append(out, int32(occur[n]))
	}
	return out
}

// ranked puts ranks in the place of ids, and returns the ids by rank.
func ranked(lists ...[]uint32) (occur []uint32) {
	count := map[uint32]int{}
	for _, l := range lists {
		for _, id := range l {
			if count[id]++; count[id] == 1 {
				occur = append(occur, id)
			}
		}
	}
	sort.Slice(occur, func(i, j int) bool {
		a, b := occur[i], occur[j]
		return count[a] > count[b] || count[a] == count[b] && a < b
	})
	rank := make(map[uint32]uint32, len(occur))
	for i, id := range occur {
		rank[id] = uint32(i)
	}
	for _, l := range lists {
		for i, id := range l {
			l[i] = rank[id]
		}
	}
	return occur
}

// planes writes the lowest bytes of all numbers, then the next, and so on.
func planes(ns []uint32) []byte {
	out := make([]byte, 0, 4*len(ns))
	for shift := 0; shift < 32; shift += 8 {
		for _, n := range ns {
			out = append(out, byte(n>>shift))
		}
	}
	return out
}

func whole(b []byte) []uint32 {
	n := len(b) / 4
	out := make([]uint32, n)
	for k := range 4 {
		for i := range n {
			out[i] |= uint32(b[k*n+i]) << (8 * k)
		}
	}
	return out
}

func deflated(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
