package network

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// word is a token of one sub-word.
func word(n int, kind uint8) Token { return Token{Pieces: [Pieces]uint16{uint16(n)}, Kind: kind} }

// copying gives a problem whose right move puts in the value that follows the
// word "expected" in what the test said, or in the code, and not the one that
// follows "got". The values are drawn anew each time, 2,000 words from the one given, so
// that nothing can be learned by heart.
func copying(r *rand.Rand, fromCode bool, words int) (*Problem, []Target) {
	const expected, got = 11, 12
	values := r.Perm(2000)[:8]
	p := &Problem{}
	for range 24 {
		p.Code = append(p.Code, word(20+r.IntN(50), 1))
	}
	for range 12 {
		p.Said = append(p.Said, word(20+r.IntN(50), 3))
	}
	for _, v := range []int{3, 9, 15} {
		p.Code[v] = word(words+values[7], 2)
		p.Sites = append(p.Sites, Site{First: int32(v), Last: int32(v)})
	}
	at, where := r.IntN(8), p.Said
	if fromCode {
		at, where = 16+r.IntN(4), p.Code
	}
	first := r.IntN(2) * 2
	where[at+first], where[at+first+1] = word(expected, 3), word(words+values[0], 3)
	where[at+2-first], where[at+3-first] = word(got, 3), word(words+values[1], 3)
	right := r.IntN(6)
	for i := range 6 {
		v := values[2+i%5]
		switch i {
		case right:
			v = values[0]
		case (right + 1) % 6:
			v = values[1]
		}
		p.Moves = append(p.Moves, Move{Site: 1, New: []Token{word(words+v, 2)}, Old: []Token{p.Code[9]}, Hash: []uint32{uint32(100 + v), uint32(5000)}})
	}
	return p, []Target{{Move: right, Weight: 1}}
}

func TestTheNetworkCopiesAndTheLinearPartCannot(t *testing.T) {
	for _, fromCode := range []bool{false, true} {
		r := rand.New(rand.NewPCG(1, 2))
		m, alone := New(1), NewLinear()
		trainer := NewTrainer(m, 2)
		for step := range 16 {
			for range 24 {
				p, targets := copying(r, fromCode, 100)
				if err := trainer.Add(p, targets, 0, nil); err != nil {
					t.Fatal(err)
				}
				if _, err := alone.Train(p, targets, 0); err != nil {
					t.Fatal(err)
				}
			}
			report, err := trainer.Step(2e-3)
			if err != nil {
				t.Fatal(err)
			}
			if step%5 == 0 {
				t.Logf("step %d: loss %.3f, norm %.2f", step, report.Loss, report.Norm)
			}
		}
		network, linear, blind := 0, 0, 0
		const of = 300
		for range of {
			p, targets := copying(r, fromCode, 3000) // values never seen
			out := make([]float32, len(p.Moves))
			right := func() int {
				if best(out) == targets[0].Move {
					return 1
				}
				return 0
			}
			m.Score(m.Encode(p), p.Moves, out)
			network += right()
			other, _ := copying(r, fromCode, 3000)
			if p.Said = other.Said; fromCode {
				p.Code = other.Code
			}
			m.Score(m.Encode(p), p.Moves, out)
			blind += right()
			alone.Score(p.Moves, out)
			linear += right()
		}
		t.Logf("from code %v, of %d: network %d, with another's text %d, linear %d", fromCode, of, network, blind, linear)
		if network < of*9/10 || linear > of/2 || blind > of/2 {
			t.Errorf("from code %v: of %d the network has %d right, want 90 %%; with another problem's text %d, the linear part alone %d, want at most half", fromCode, of, network, blind, linear)
		}
	}
}

// train gives the weights after some steps on random problems.
func train(t *testing.T, workers, steps int, seed uint64) *Model {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	m := New(seed)
	trainer := NewTrainer(m, workers)
	solved := float32(1)
	for range steps {
		for i := range 5 {
			label := &solved
			if i%2 == 0 {
				label = nil
			}
			p := random(r, 20, 15, 4, 30)
			if err := trainer.Add(p, []Target{{Move: 3, Weight: 1}, {Move: 4, Weight: -0.5}}, 0.01, label); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := trainer.Step(1e-3); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func same(a, b *Model) bool {
	return slices.Equal(a.w, b.w) && slices.Equal(a.linear.weight, b.linear.weight)
}

func TestTheSameSeedGivesTheSameWeights(t *testing.T) {
	for _, workers := range []int{1, 2, 3} {
		if a, b := train(t, workers, 20, 1), train(t, workers, 20, 1); !same(a, b) {
			t.Errorf("%d workers: two runs give other weights", workers)
		}
	}
	if same(train(t, 1, 2, 1), train(t, 1, 2, 2)) {
		t.Error("another seed gives the same weights")
	}
}

func TestWorkersDifferByRoundingAlone(t *testing.T) {
	a, b := train(t, 1, 1, 1), train(t, 3, 1, 1)
	far := 0
	for i := range a.w {
		if math.Abs(float64(a.w[i]-b.w[i])) > 1e-5 {
			far++
		}
	}
	if far > len(a.w)/1000 {
		t.Errorf("%d of %d weights differ after one step", far, len(a.w))
	}
}

func TestTheValueHeadLearnsAChance(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	m := New(1)
	trainer := NewTrainer(m, 1)
	base := random(r, 10, 8, 2, 2)
	draw := func() (*Problem, *float32) {
		p := *base
		fill(r, p.Facts[:])
		solved := float32(r.IntN(2))
		p.Facts[2] = 2*solved - 1
		return &p, &solved
	}
	for range 40 {
		for range 16 {
			p, solved := draw()
			if err := trainer.Add(p, nil, 0, solved); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := trainer.Step(3e-3); err != nil {
			t.Fatal(err)
		}
	}
	right := 0
	for range 200 {
		p, solved := draw()
		if (m.Value(m.Encode(p)) > 0.5) == (*solved == 1) {
			right++
		}
	}
	if right < 190 {
		t.Errorf("%d of 200 chances are on the right side", right)
	}
}

func TestAnAdvantageBelowZeroPushesAMoveDown(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	p := random(r, 20, 15, 4, 10)
	for i := range p.Moves {
		p.Moves[i].Hash = nil
	}
	for _, advantage := range []float32{1, -1} {
		m := New(1)
		trainer := NewTrainer(m, 1)
		for range 5 {
			if err := trainer.Add(p, []Target{{Move: 2, Weight: advantage}}, 0, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := trainer.Step(1e-3); err != nil {
				t.Fatal(err)
			}
		}
		out := make([]float32, len(p.Moves))
		m.Score(m.Encode(p), p.Moves, out)
		mean := float32(0)
		for _, s := range out {
			mean += s / float32(len(out))
		}
		if (out[2] > mean) != (advantage > 0) {
			t.Errorf("advantage %v: move 2 scores %v, the mean is %v", advantage, out[2], mean)
		}
	}
}

func TestAGradientWithoutANumberChangesNothing(t *testing.T) {
	m := New(1)
	p := random(rand.New(rand.NewPCG(5, 5)), 20, 15, 4, 10)
	trainer := NewTrainer(m, 1)
	before := m.Clone()
	if err := trainer.Add(p, []Target{{Move: 0, Weight: math.MaxFloat32}}, 0, nil); err != nil {
		t.Fatal(err)
	}
	if err := trainer.Add(p, []Target{{Move: 0, Weight: math.MaxFloat32}, {Move: 1, Weight: math.MaxFloat32}}, 0, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := trainer.Step(1e-3); !errors.Is(err, ErrDiverged) {
		t.Errorf("the step gives error %v", err)
	}
	if !same(m, before) {
		t.Error("the weights changed")
	}
	if err := trainer.Add(p, []Target{{Move: 0, Weight: 1}}, 0, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := trainer.Step(1e-3); err != nil || same(m, before) {
		t.Errorf("the next step gives error %v and must change the weights", err)
	}
	if r, err := trainer.Step(1e-3); err != nil || r.Examples != 0 {
		t.Errorf("an empty batch gives %+v, %v", r, err)
	}
}

func TestTheGradientIsClipped(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	p := random(r, 20, 15, 4, 10)
	moments := func(weight float32) float64 {
		trainer := NewTrainer(New(1), 1)
		if err := trainer.Add(p, []Target{{Move: 0, Weight: weight}}, 0, nil); err != nil {
			t.Fatal(err)
		}
		report, err := trainer.Step(1e-3)
		if err != nil {
			t.Fatal(err)
		}
		if weight > 10 && report.Norm < 10 {
			t.Errorf("the norm reported is %v", report.Norm)
		}
		sum := 0.0
		for _, m := range trainer.m {
			sum += float64(m) * float64(m) / (1 - adamFirst) / (1 - adamFirst)
		}
		return math.Sqrt(sum)
	}
	if n := moments(1000); math.Abs(n-1) > 1e-3 {
		t.Errorf("a large gradient is taken with norm %v, want 1", n)
	}
}

// The model with a trainer of two workers, after problems as large as they get,
// stays below 100 MB.
func TestMemory(t *testing.T) {
	heap := func() float64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return float64(s.HeapAlloc) / (1 << 20)
	}
	before := heap()
	m := New(1)
	trainer := NewTrainer(m, 2)
	p := random(rand.New(rand.NewPCG(1, 1)), MaxCode, MaxSaid, 80, 1000)
	for range 2 {
		if err := trainer.Add(p, []Target{{Move: 0, Weight: 1}}, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := trainer.Step(1e-3); err != nil {
		t.Fatal(err)
	}
	e := m.Encode(p)
	m.Score(e, p.Moves, make([]float32, len(p.Moves)))
	used := heap() - before
	runtime.KeepAlive(trainer)
	runtime.KeepAlive(e)
	t.Logf("%.0f MB", used)
	if used > 100 || used < 15 {
		t.Errorf("model, trainer and an encoding take %.0f MB", used)
	}
}

// Adam's first step goes by the rate against the sign of each gradient, and
// with the same gradient every step does.
func TestStepsOfAdam(t *testing.T) {
	with(t, func(name string) {
		w, m, v := make([]float32, 21), make([]float32, 21), make([]float32, 21)
		g := noise(rand.New(rand.NewPCG(8, 8)), 21)
		g[4] = 0
		for step := range 5 {
			n := float64(step + 1)
			adam(w, g, m, v, constants(0.01, 0.5, n))
			for i := range w {
				want := -0.01 * n * math.Copysign(1, float64(g[i]))
				if g[i] == 0 {
					want = 0
				}
				if math.Abs(float64(w[i])-want) > 1e-5 {
					t.Errorf("%s: after %d steps by gradient %v a weight is %v, want %v", name, step+1, g[i], w[i], want)
				}
			}
		}
	})
}

func TestBadExamplesAreRefused(t *testing.T) {
	p := random(rand.New(rand.NewPCG(7, 7)), 20, 15, 4, 10)
	trainer := NewTrainer(New(1), 1)
	nan, two := float32(math.NaN()), float32(2)
	for name, err := range map[string]error{
		"a target beyond the moves": trainer.Add(p, []Target{{Move: 10, Weight: 1}}, 0, nil),
		"a weight without a number": trainer.Add(p, []Target{{Move: 1, Weight: nan}}, 0, nil),
		"an entropy without one":    trainer.Add(p, nil, nan, nil),
		"a label beyond one":        trainer.Add(p, nil, 0, &two),
		"a label without a number":  trainer.Add(p, nil, 0, &nan),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
