package network

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAPackedProblemIsTheProblem(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 60 {
		p := random(r, 40, 20, 8, n)
		for i := range p.Moves {
			p.Moves[i].Seen, p.Moves[i].Base = uint8(r.IntN(Sights)), float32(r.NormFloat64())
			for range r.IntN(40) {
				p.Moves[i].Hash = append(p.Moves[i].Hash, r.Uint32N(300))
			}
		}
		if n > 2 {
			p.Moves[0].Facts[0], p.Moves[1].Facts[0] = 0, float32(math.Copysign(0, -1))
		}
		got := Pack(p).Unpack()
		bits := cmp.Comparer(func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
		if diff := cmp.Diff(p, got, bits, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%d moves: %s", n, diff)
		}
	}
}

func TestAPackedProblemIsSmall(t *testing.T) {
	p := realSized(200)
	for i := range p.Moves { // as moves are: much the same
		m := &p.Moves[i]
		m.Old, m.New, m.Facts, m.Hash = p.Moves[i%9].Old, p.Moves[i%30].New, p.Moves[i%20].Facts, nil
		for k := range 35 {
			m.Hash = append(m.Hash, uint32(k*1000+i%(k+1)))
		}
	}
	k := Pack(p)
	bytes := 2*cap(k.moves) + 4*cap(k.hashes) + 4*cap(k.facts)
	for _, l := range k.lists {
		bytes += 24 + 10*cap(l)
	}
	if k.whole != nil || bytes > 200*150 {
		t.Errorf("200 moves take %d bytes", bytes)
	}
}

func TestWhatCannotBeNumberedIsNotPacked(t *testing.T) {
	p := random(rand.New(rand.NewPCG(1, 3)), 40, 20, 8, 40)
	for i := range p.Moves {
		for k := range 2000 {
			p.Moves[i].Hash = append(p.Moves[i].Hash, uint32(i*2000+k))
		}
	}
	if got := Pack(p).Unpack(); got != p {
		t.Error("80,000 different hashes were given 65,536 numbers")
	}
}
