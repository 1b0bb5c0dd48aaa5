package main

import (
	"testing"

	"breakfix/internal/selfplay"
)

// TestBreaksAreCountedByWhatAttemptsRepair: what is no bug counts among the breaks and nowhere else.
func TestBreaksAreCountedByWhatAttemptsRepair(t *testing.T) {
	b := brokenBy{Faced: []selfplay.Faced{{}, {Mutation: "a"}, {Mutation: "b", Valid: true}, {Mutation: "c", Valid: true, Fixed: 1},
		{Mutation: "d", Valid: true, Fixed: 2}, {Mutation: "e", Valid: true, Fixed: 3}}}
	b.count(3)
	if b.Valid != 4 || b.Never != 1 || b.Sometimes != 2 || b.Always != 1 {
		t.Errorf("%d valid, %d never, %d sometimes, %d always", b.Valid, b.Never, b.Sometimes, b.Always)
	}
	if b.Rate != 2.0/6 || b.Low >= b.Rate || b.High <= b.Rate {
		t.Errorf("rate %v, %v to %v, of 6 breaks", b.Rate, b.Low, b.High)
	}
	first, other := []float64{0, 1, 0, 0}, []float64{1, 1, 1, 0}
	if g := gainOver(first, other); g.Gain != 0.5 || g.Low > 0.5 || g.High < 0.5 {
		t.Errorf("a gain of %+v, want half", *g)
	}
}
