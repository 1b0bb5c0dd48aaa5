package network

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var card = Card{"trained on": "toolz 1.2.0, BSD-3-Clause", "examples": "20"}

func written(t *testing.T, save func(w io.Writer, c Card) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := save(&b, card); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAModelComesBackAsItWas(t *testing.T) {
	m := train(t, 1, 2, 1)
	file := written(t, m.Save)
	back, c, err := Load(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if !same(m, back) || !reflect.DeepEqual(c, card) {
		t.Errorf("the model differs, or its card: %v", c)
	}
	if again := written(t, back.Save); !bytes.Equal(file, again) {
		t.Error("saved again the file differs")
	}
	p := random(rand.New(rand.NewPCG(1, 1)), 20, 15, 4, 30)
	a, b := make([]float32, 30), make([]float32, 30)
	m.Score(m.Encode(p), p.Moves, a)
	back.Score(back.Encode(p), p.Moves, b)
	if !slices.Equal(a, b) || a[3] == a[4] {
		t.Error("the scores differ, or are all alike")
	}
}

func TestALinearModelComesBackAsItWas(t *testing.T) {
	l := NewLinear()
	p, targets := hashed(rand.New(rand.NewPCG(1, 1)), 20, 5)
	if _, err := l.Train(p, targets, 0); err != nil {
		t.Fatal(err)
	}
	back, _, err := LoadLinear(bytes.NewReader(written(t, l.Save)))
	if err != nil || !slices.Equal(back.weight, l.weight) {
		t.Fatalf("the weights differ, or error %v", err)
	}
	if _, err := l.Train(p, targets, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := back.Train(p, targets, 0); err != nil || !slices.Equal(back.weight, l.weight) {
		t.Errorf("trained on, the weights differ, or error %v", err)
	}
}

func TestTrainingGoesOnAsIfItHadNotStopped(t *testing.T) {
	p := random(rand.New(rand.NewPCG(2, 2)), 20, 15, 4, 30)
	step := func(trainer *Trainer) {
		if err := trainer.Add(p, []Target{{Move: 3, Weight: 1}}, 0, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := trainer.Step(1e-3); err != nil {
			t.Fatal(err)
		}
	}
	m := New(1)
	trainer := NewTrainer(m, 2)
	step(trainer)
	step(trainer)
	resumed, back, _, err := Resume(bytes.NewReader(written(t, trainer.Save)), 2)
	if err != nil {
		t.Fatal(err)
	}
	step(trainer)
	step(resumed)
	if !same(m, back) {
		t.Error("the weights differ")
	}
	if err := trainer.Add(p, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	if err := trainer.Save(io.Discard, nil); err == nil {
		t.Error("a trainer with an open batch was saved")
	}
}

// rewritten changes the header of a file and leaves the tensors.
func rewritten(t *testing.T, file []byte, change func(h map[string]any)) []byte {
	t.Helper()
	long := binary.LittleEndian.Uint64(file)
	var h map[string]any
	if err := json.Unmarshal(file[8:8+long], &h); err != nil {
		t.Fatal(err)
	}
	change(h)
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	return slices.Concat(out, text, file[8+long:])
}

func TestFilesThatAreNotTheNetworks(t *testing.T) {
	file := written(t, New(1).Save)
	linear := written(t, NewLinear().Save)
	header := func(change func(h map[string]any)) []byte { return rewritten(t, file, change) }
	tensor := func(h map[string]any, name string) map[string]any { return h[name].(map[string]any) }
	number := func(v float32) []byte {
		b := slices.Clone(file)
		binary.LittleEndian.PutUint32(b[len(b)-4*Features*3-4:], math.Float32bits(v))
		return b
	}
	squares := slices.Clone(file)
	binary.LittleEndian.PutUint32(squares[len(file)-4:], math.Float32bits(-1))
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"empty":           {nil, ErrCorrupt},
		"seven bytes":     {file[:7], ErrCorrupt},
		"header cut":      {file[:100], ErrCorrupt},
		"tensors cut":     {file[:len(file)-1], ErrCorrupt},
		"bytes after":     {append(slices.Clone(file), 0), ErrCorrupt},
		"endless header":  {append([]byte{255, 255, 255, 255, 255, 255, 255, 255}, file[8:]...), ErrCorrupt},
		"too large":       {make([]byte, maxFile+1), ErrCorrupt},
		"text":            {[]byte(strings.Repeat("no weights ", 99)), ErrCorrupt},
		"another's":       {header(func(h map[string]any) { delete(h, "__metadata__") }), ErrCorrupt},
		"a linear model":  {linear, ErrCorrupt},
		"another version": {header(func(h map[string]any) { h["__metadata__"].(map[string]any)["version"] = "0" }), ErrVersion},
		"another size":    {header(func(h map[string]any) { tensor(h, "place")["shape"] = []int{32, 128} }), ErrSizes},
		"a tensor less":   {header(func(h map[string]any) { delete(h, "place") }), ErrSizes},
		"a tensor more":   {header(func(h map[string]any) { h["extra"] = h["place"] }), ErrSizes},
		"another type":    {header(func(h map[string]any) { tensor(h, "place")["dtype"] = "BF16" }), ErrCorrupt},
		"before the start": {header(func(h map[string]any) {
			tensor(h, "place.bias")["data_offsets"] = []int{-256, 0}
		}), ErrCorrupt},
		"beyond the end": {header(func(h map[string]any) {
			tensor(h, "place.bias")["data_offsets"] = []int{1 << 40, 1<<40 + 256}
		}), ErrCorrupt},
		"an overlap": {header(func(h map[string]any) {
			tensor(h, "place.bias")["data_offsets"] = []int{0, 256}
		}), ErrCorrupt},
		"no offsets":         {header(func(h map[string]any) { tensor(h, "place")["data_offsets"] = "all" }), ErrCorrupt},
		"not a number":       {number(float32(math.NaN())), ErrNotFinite},
		"infinity":           {number(float32(math.Inf(-1))), ErrNotFinite},
		"squares below zero": {squares, ErrCorrupt},
	} {
		m, _, err := Load(bytes.NewReader(c.file))
		if !errors.Is(err, c.want) || m != nil {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
		for _, other := range []error{ErrVersion, ErrSizes, ErrCorrupt, ErrNotFinite} {
			if other != c.want && errors.Is(err, other) {
				t.Errorf("%s: it is also %v", name, other)
			}
		}
	}
	if _, _, err := Load(bytes.NewReader(number(1))); err != nil {
		t.Errorf("the untouched file gives %v", err)
	}
}

// No change of a few bytes makes Load panic, or gives a model with a weight
// that is no number.
func TestSpoiledFilesDoNotPanic(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	file := written(t, NewLinear().Save)
	long := int(binary.LittleEndian.Uint64(file))
	for range 200 {
		b := slices.Clone(file[:8+long+64])
		for range 1 + r.IntN(4) {
			b[r.IntN(8+long)] = byte(r.IntN(256))
		}
		if l, _, err := LoadLinear(bytes.NewReader(b)); err == nil || l != nil {
			t.Fatal("a file without tensors was read")
		}
	}
}

func TestPythonReadsTheFile(t *testing.T) {
	if err := exec.Command("python3", "-c", "import numpy, safetensors").Run(); err != nil {
		t.Skip("python3 has no safetensors and numpy")
	}
	m := New(1)
	at := filepath.Join(t.TempDir(), "m.safetensors")
	if err := os.WriteFile(at, written(t, m.Save), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("python3", "-c", `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], "numpy") as f:
    w = f.get_tensor("trunk.in")
    print(json.dumps({"keys": len(f.keys()), "meta": f.metadata(), "shape": w.shape, "first": float(w[0, 0]), "last": float(w[-1, -1])}))
`, at).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got struct {
		Keys        int
		Meta        map[string]string
		Shape       []int
		First, Last float32
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	p := weights.in
	if got.Keys != len(weights.all)+3 || got.Meta["card.examples"] != "20" || !slices.Equal(got.Shape, []int{p.rows, p.cols}) ||
		got.First != m.w[p.at] || got.Last != m.w[p.at+p.size()-1] {
		t.Errorf("Python reads %+v", got)
	}
}
