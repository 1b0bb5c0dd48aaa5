package network

import (
	"math"
	"math/rand/v2"
	"testing"
)

// hashed gives moves with random features, of which one marks the right one.
func hashed(r *rand.Rand, moves, features int) (*Problem, []Target) {
	p := &Problem{Moves: make([]Move, moves)}
	for i := range p.Moves {
		for range features {
			p.Moves[i].Hash = append(p.Moves[i].Hash, r.Uint32())
		}
	}
	right := r.IntN(moves)
	p.Moves[right].Hash = append(p.Moves[right].Hash, 7)
	p.Moves[(right+1)%moves].Hash = append(p.Moves[(right+1)%moves].Hash, 7, 9)
	return p, []Target{{Move: right, Weight: 1}}
}

func TestLinearLearnsWhichFeaturesMarkTheRightMove(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	l := NewLinear()
	first, last := 0.0, 0.0
	for i := range 400 {
		p, targets := hashed(r, 20, 5)
		loss, err := l.Train(p, targets, 0)
		if err != nil {
			t.Fatal(err)
		}
		if i < 20 {
			first += loss / 20
		}
		if i >= 380 {
			last += loss / 20
		}
	}
	if math.Abs(first-math.Log(20)) > 0.7 || last > 0.5*first {
		t.Errorf("the mean loss went from %.2f to %.2f, want from about ln 20 to less than half", first, last)
	}
	right := 0
	for range 100 {
		p, targets := hashed(r, 20, 5)
		out := make([]float32, 20)
		l.Score(p.Moves, out)
		if best(out) == targets[0].Move {
			right++
		}
	}
	if right < 95 {
		t.Errorf("%d of 100 right moves are first", right)
	}
}

func best(scores []float32) int {
	b := 0
	for i, s := range scores {
		if s > scores[b] {
			b = i
		}
	}
	return b
}

func TestLinearDoesNotLearnWhatTheScoreBeneathExplains(t *testing.T) {
	l := NewLinear()
	p := &Problem{Moves: []Move{{Hash: []uint32{1}}, {Hash: []uint32{2}, Base: 30}}}
	if loss, err := l.Train(p, []Target{{Move: 1, Weight: 1}}, 0); err != nil || loss > 1e-6 {
		t.Errorf("loss %g, %v", loss, err)
	}
	if max(math.Abs(float64(l.weight[1])), math.Abs(float64(l.weight[2]))) > 1e-9 {
		t.Errorf("learned %g and %g", l.weight[1], l.weight[2])
	}
}

func TestLinearGoesDownHillForAnAdvantageOfEitherSign(t *testing.T) {
	for _, advantage := range []float32{1, -1} {
		l := NewLinear()
		p := &Problem{Moves: []Move{{Hash: []uint32{1}}, {Hash: []uint32{2}}, {Hash: []uint32{3}}}}
		for range 5 {
			if _, err := l.Train(p, []Target{{Move: 1, Weight: advantage}}, 0); err != nil {
				t.Fatal(err)
			}
		}
		out := make([]float32, 3)
		l.Score(p.Moves, out)
		if up := out[1] > out[0]; up != (advantage > 0) || out[0] != out[2] {
			t.Errorf("advantage %v gives scores %v", advantage, out)
		}
	}
}

func TestSparsityLeavesRareFeaturesWithoutAWeight(t *testing.T) {
	l := NewLinear()
	l.Sparsity = 3
	r := rand.New(rand.NewPCG(2, 2))
	for range 100 {
		p, targets := hashed(r, 20, 5)
		if _, err := l.Train(p, targets, 0); err != nil {
			t.Fatal(err)
		}
	}
	some := 0
	for _, w := range l.weight {
		if w != 0 {
			some++
		}
	}
	if l.weight[7] == 0 || some > 50 {
		t.Errorf("%d features have a weight, that of the mark is %v", some, l.weight[7])
	}
}

func TestEntropyKeepsScoresTogether(t *testing.T) {
	spread := func(entropy float32) float32 {
		l := NewLinear()
		p := &Problem{Moves: []Move{{Hash: []uint32{1}}, {Hash: []uint32{2}}}}
		for range 200 {
			if _, err := l.Train(p, []Target{{Move: 0, Weight: 1}}, entropy); err != nil {
				t.Fatal(err)
			}
		}
		out := make([]float32, 2)
		l.Score(p.Moves, out)
		return out[0] - out[1]
	}
	if with, without := spread(1), spread(0); with > 0.7*without {
		t.Errorf("scores are %v apart with entropy and %v without", with, without)
	}
}

// The gradient of a choice is that of its loss, by differences.
func TestGradientOfAChoice(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	scores, grad := make([]float64, 9), make([]float64, 9)
	for i := range scores {
		scores[i] = 3 * r.NormFloat64()
	}
	targets := []Target{{1, 0.5}, {4, 0.25}, {7, -1.5}}
	for _, entropy := range []float32{0, 0.3} {
		choice(scores, targets, entropy, grad)
		want := append([]float64(nil), grad...)
		for i := range scores {
			const step = 1e-5
			old := scores[i]
			scores[i] = old + step
			up := choice(scores, targets, entropy, grad)
			scores[i] = old - step
			down := choice(scores, targets, entropy, grad)
			scores[i] = old
			if got := (up - down) / (2 * step); math.Abs(got-want[i]) > 1e-8 {
				t.Errorf("entropy %v: gradient by score %d is %v, differences say %v", entropy, i, want[i], got)
			}
		}
	}
}

func TestBadTargetsAreRefused(t *testing.T) {
	l := NewLinear()
	p := &Problem{Moves: make([]Move, 3)}
	for _, target := range []Target{{Move: 3, Weight: 1}, {Move: -1, Weight: 1}, {Move: 0, Weight: float32(math.NaN())}} {
		if _, err := l.Train(p, []Target{target}, 0); err == nil {
			t.Errorf("target %v was taken", target)
		}
	}
	if loss, err := l.Train(&Problem{}, nil, 0); err != nil || loss != 0 {
		t.Errorf("a problem without moves gives loss %v, error %v", loss, err)
	}
}

func BenchmarkLinear(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 4))
	p, targets := hashed(r, 2000, 20)
	out := make([]float32, len(p.Moves))
	l := NewLinear()
	rate := func(b *testing.B) {
		b.ReportMetric(float64(b.N*len(p.Moves))/b.Elapsed().Seconds(), "candidates/s")
	}
	b.Run("score", func(b *testing.B) {
		for b.Loop() {
			l.Score(p.Moves, out)
		}
		rate(b)
	})
	b.Run("train", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.Train(p, targets, 0); err != nil {
				b.Fatal(err)
			}
		}
		rate(b)
	})
}
