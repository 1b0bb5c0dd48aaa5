package network

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// What is seen of a move decides, and nothing else does: that is learned in some tens of problems.
func TestWhatIsSeenIsLearned(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	m := New(1)
	trainer := NewTrainer(m, 2)
	problem := func() (*Problem, int) {
		p := random(r, 40, 20, 8, 60)
		for i := range p.Moves {
			p.Moves[i].Seen, p.Moves[i].Base = 2, 0
		}
		right := r.IntN(len(p.Moves))
		p.Moves[right].Seen = 5
		return p, right
	}
	for range 40 {
		p, right := problem()
		if err := trainer.Add(p, []Target{{right, 1}}, 0, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := trainer.Step(1e-9); err != nil {
			t.Fatal(err)
		}
	}
	if m.Seen(5)-m.Seen(2) < 4 || m.Seen(0) != 0 || m.Seen(9) != 0 {
		t.Errorf("what is right is worth %.2f, what is wrong %.2f, what was never seen %.2f", m.Seen(5), m.Seen(2), m.Seen(9))
	}
	p, right := problem()
	scores := make([]float32, len(p.Moves))
	m.Score(m.Encode(p), p.Moves, scores)
	for i, s := range scores {
		if i != right && s >= scores[right] {
			t.Errorf("move %d has %.2f, the right one %.2f", i, s, scores[right])
		}
	}
	if m.Clone().Seen(5) != m.Seen(5) {
		t.Error("a copy has other sights")
	}
}

// A score beneath is added as it is, and what it explains is not learned.
func TestTheScoreBeneathIsNotLearned(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	p := random(r, 40, 20, 8, 30)
	for i := range p.Moves {
		p.Moves[i].Seen, p.Moves[i].Base = 1, 0
	}
	m := New(1)
	trainer := NewTrainer(m, 1)
	p.Moves[3].Seen, p.Moves[3].Base = 2, 30
	scores := make([]float32, 30)
	m.Score(m.Encode(p), p.Moves, scores)
	if d := scores[3] - scores[4]; d < 29 || d > 31 {
		t.Errorf("it is %.2f better, want 30", d)
	}
	if err := trainer.Add(p, []Target{{3, 1}}, 0, nil); err != nil {
		t.Fatal(err)
	}
	if report, err := trainer.Step(1e-3); err != nil || report.Loss > 1e-6 || m.Seen(2) > 1e-6 {
		t.Errorf("loss %g, learned %g, %v", report.Loss, m.Seen(2), err)
	}
}

func TestWeightsOfBeforeThereWereSightsAreReadWithout(t *testing.T) {
	m := New(3)
	m.sights.weight[4] = 1.5
	var with, without bytes.Buffer
	if err := m.Save(&with, nil); err != nil {
		t.Fatal(err)
	}
	got, _, err := Load(&with)
	if err != nil || got.Seen(4) != 1.5 {
		t.Fatal("read back", err)
	}
	if err := save(&without, "network", nil, nil, append(parts("", m.w, false), m.linear.all()...)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(without.String()[:20000], "sights") {
		t.Fatal("this is no file of before")
	}
	if got, _, err = Load(&without); err != nil || got.Seen(4) != 0 {
		t.Error(got, err)
	}
}
