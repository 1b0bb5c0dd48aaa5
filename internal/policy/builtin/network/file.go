package network

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Files are safetensors (https://github.com/huggingface/safetensors): eight
// bytes of length, a JSON header, then the tensors, little-endian float32.

// Card says what weights were trained on, numbers and licences of the code. Its
// entries stand in the file's metadata under "card." and their name.
type Card map[string]string

// What can be wrong with a file of weights; errors.Is tells them apart.
var (
	ErrVersion   = errors.New("made by another version of breakfix; train again or use the version that made it")
	ErrSizes     = errors.New("the network has other sizes; train again or use the version that made it")
	ErrCorrupt   = errors.New("not a whole file of weights; fetch or copy it again")
	ErrNotFinite = errors.New("a weight is no finite number; go back to an earlier file")
)

// version is that of what the weights mean. Count it up when the same
// weights would give other scores.
const version = "1"

// maxFile bounds what is read: several times the largest file there is.
const maxFile = 64 << 20

// tensor is named numbers of a shape. Of sums of squares none is below zero. What earlier
// versions did not write is zero where it is missing.
type tensor struct {
	name    string
	shape   []int
	v       []float32
	squares bool
	later   bool
}

// entry is a tensor in the header.
type entry struct {
	Type    string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// Save writes the model with its card.
func (m *Model) Save(w io.Writer, card Card) error {
	return save(w, "network", card, nil, m.all())
}

// Load reads a model that Save wrote.
func Load(r io.Reader) (*Model, Card, error) {
	m := blank()
	meta, err := load(r, "network", m.all())
	if err != nil {
		return nil, nil, err
	}
	return m, cardOf(meta), nil
}

// Save writes the linear model with its card.
func (l *Linear) Save(w io.Writer, card Card) error { return save(w, "linear", card, nil, l.all()) }

// LoadLinear reads a linear model that Save wrote; its rates are those of a new one.
func LoadLinear(r io.Reader) (*Linear, Card, error) {
	l := NewLinear()
	meta, err := load(r, "linear", l.all())
	if err != nil {
		return nil, nil, err
	}
	return l, cardOf(meta), nil
}

// Save writes the model with what its trainer needs to go on from here.
func (t *Trainer) Save(w io.Writer, card Card) error {
	if len(t.batch) > 0 {
		return errors.New("network: a batch is open; step before saving")
	}
	return save(w, "trainer", card, map[string]string{"steps": strconv.Itoa(t.steps)}, t.all())
}

// Resume reads what Trainer.Save wrote: training goes on as if it had not
// stopped, with the same number of workers bit by bit. Clip and Value, and the
// rates of the linear part, are those of a new trainer.
func Resume(r io.Reader, workers int) (*Trainer, *Model, Card, error) {
	m := blank()
	t := NewTrainer(m, workers)
	meta, err := load(r, "trainer", t.all())
	if err != nil {
		return nil, nil, nil, err
	}
	if t.steps, err = strconv.Atoi(meta["steps"]); err != nil || t.steps < 0 {
		return nil, nil, nil, fmt.Errorf("network: %q steps: %w", meta["steps"], ErrCorrupt)
	}
	return t, m, cardOf(meta), nil
}

func blank() *Model {
	return &Model{w: make([]float32, weights.size), linear: NewLinear(), sights: newSights()}
}

func (m *Model) all() []tensor {
	return slices.Concat(parts("", m.w, false), m.linear.all(), m.sights.all())
}

func (t *Trainer) all() []tensor {
	return slices.Concat(t.model.all(), parts("adam.first.", t.m, false), parts("adam.second.", t.v, true))
}

func (l *Linear) all() []tensor {
	shape := []int{Features}
	return []tensor{{"linear.weight", shape, l.weight, false, false}, {"linear.z", shape, l.z, false, false}, {"linear.n", shape, l.n, true, false}}
}

// parts names what is laid out as the weights are.
func parts(prefix string, w []float32, squares bool) []tensor {
	var all []tensor
	for _, p := range weights.all {
		all = append(all, tensor{prefix + p.name, []int{p.rows, p.cols}, w[p.at:][:p.size()], squares, false})
	}
	return all
}

func save(w io.Writer, kind string, card Card, more map[string]string, all []tensor) error {
	meta := map[string]string{"format": "breakfix", "kind": kind, "version": version}
	maps.Copy(meta, more)
	for k, v := range card {
		meta["card."+k] = v
	}
	header, at := map[string]any{"__metadata__": meta}, 0
	for _, t := range all {
		header[t.name] = entry{"F32", t.shape, [2]int{at, at + 4*len(t.v)}}
		at += 4 * len(t.v)
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(text)%8 != 0 { // tensors are aligned
		text = append(text, ' ')
	}
	out := binary.LittleEndian.AppendUint64(make([]byte, 0, 8+len(text)+at), uint64(len(text)))
	out = append(out, text...)
	for _, t := range all {
		for _, v := range t.v {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	}
	_, err = w.Write(out)
	return err
}

// load reads tensors of the names and shapes that all has, and of no others,
// into it, and gives the metadata.
func load(r io.Reader, kind string, all []tensor) (map[string]string, error) {
	fail := func(what error, format string, a ...any) (map[string]string, error) {
		return nil, fmt.Errorf("network: %s: %w", fmt.Sprintf(format, a...), what)
	}
	header, data, err := open(r)
	if err != nil {
		return nil, err
	}
	var meta map[string]string
	if err := json.Unmarshal(header["__metadata__"], &meta); err != nil || meta["format"] != "breakfix" {
		return fail(ErrCorrupt, "the header does not say that it is breakfix's")
	}
	if meta["kind"] != kind {
		return fail(ErrCorrupt, "it holds a %q, want a %q", meta["kind"], kind)
	}
	if meta["version"] != version {
		return fail(ErrVersion, "weights of version %q, this is %q", meta["version"], version)
	}
	delete(header, "__metadata__")
	var used [][2]int
	for _, t := range all {
		raw, ok := header[t.name]
		if !ok && t.later {
			continue
		}
		if !ok {
			return fail(ErrSizes, "there is no tensor %s", t.name)
		}
		delete(header, t.name)
		var e entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return fail(ErrCorrupt, "tensor %s: %v", t.name, err)
		}
		if !slices.Equal(e.Shape, t.shape) {
			return fail(ErrSizes, "tensor %s is %v, want %v", t.name, e.Shape, t.shape)
		}
		from, to := e.Offsets[0], e.Offsets[1]
		if e.Type != "F32" || from < 0 || from > len(data) || to-from != 4*len(t.v) || to > len(data) {
			return fail(ErrCorrupt, "tensor %s is %s at %v of %d bytes", t.name, e.Type, e.Offsets, len(data))
		}
		used = append(used, e.Offsets)
		for i := range t.v {
			t.v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[from+4*i:]))
		}
		if !finite(t.v) {
			return fail(ErrNotFinite, "tensor %s", t.name)
		}
		if t.squares && slices.Min(t.v) < 0 {
			return fail(ErrCorrupt, "tensor %s holds squares below zero", t.name)
		}
	}
	if len(header) > 0 {
		return fail(ErrSizes, "tensor %s is not of this network", slices.Min(slices.Collect(maps.Keys(header))))
	}
	slices.SortFunc(used, func(a, b [2]int) int { return a[0] - b[0] })
	at := 0
	for _, u := range used {
		if u[0] != at {
			return fail(ErrCorrupt, "tensors overlap or leave a gap at byte %d", min(u[0], at))
		}
		at = u[1]
	}
	if at != len(data) {
		return fail(ErrCorrupt, "%d bytes after the tensors", len(data)-at)
	}
	return meta, nil
}

// open reads a file into its header and its tensors' bytes.
func open(r io.Reader) (map[string]json.RawMessage, []byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("network: read weights: %w", err)
	}
	if len(data) > maxFile || len(data) < 8 {
		return nil, nil, fmt.Errorf("network: a file of %d bytes: %w", len(data), ErrCorrupt)
	}
	long := binary.LittleEndian.Uint64(data)
	data = data[8:]
	if long > uint64(len(data)) {
		return nil, nil, fmt.Errorf("network: a header of %d bytes in a file of %d: %w", long, len(data)+8, ErrCorrupt)
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(data[:long], &header); err != nil {
		return nil, nil, fmt.Errorf("network: header: %v: %w", err, ErrCorrupt)
	}
	return header, data[long:], nil
}

func cardOf(meta map[string]string) Card {
	card := Card{}
	for k, v := range meta {
		if name, ok := strings.CutPrefix(k, "card."); ok {
			card[name] = v
		}
	}
	return card
}
