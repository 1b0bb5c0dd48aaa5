package eval

import (
	"math"
	"testing"
)

// vector is n values of which the first k are 1.
func vector(k, n int) []float64 {
	v := make([]float64, n)
	for i := range k {
		v[i] = 1
	}
	return v
}

func near(a, b, by float64) bool { return math.Abs(a-b) <= by }

func TestTheIntervalOfOneSeedIsThatOfAShare(t *testing.T) {
	iv := Bootstrap([][]float64{vector(30, 100)})
	// The standard error of a share of 0.3 of 100 is √(0.3·0.7/100) = 0.0458.
	if iv.Mean != 0.3 || !near(iv.Low, 0.3-1.96*0.0458, 0.015) || !near(iv.High, 0.3+1.96*0.0458, 0.015) {
		t.Errorf("30 of 100: %+v", iv)
	}
	if again := Bootstrap([][]float64{vector(30, 100)}); again != iv {
		t.Errorf("the same values give %+v and %+v", iv, again)
	}
}

func TestSeedsThatDisagreeWidenTheInterval(t *testing.T) {
	agree := Bootstrap([][]float64{vector(50, 100), vector(50, 100), vector(50, 100), vector(50, 100)})
	differ := Bootstrap([][]float64{vector(0, 100), vector(100, 100), vector(0, 100), vector(100, 100)})
	if agree.Mean != 0.5 || differ.Mean != 0.5 {
		t.Fatalf("means %v and %v", agree.Mean, differ.Mean)
	}
	// Seeds that all solve the same bugs say no more than one does.
	if one := Bootstrap([][]float64{vector(50, 100)}); !near(agree.High-agree.Low, one.High-one.Low, 0.02) {
		t.Errorf("four seeds that agree: %+v, one of them: %+v", agree, one)
	}
	// Of four seeds, two at 0 and two at 1, all four drawn are 0 in 1 of 16 draws, more often than 2.5 %.
	if differ.Low != 0 || differ.High != 1 {
		t.Errorf("seeds that disagree: %+v", differ)
	}
}

func TestADifferenceIsPaired(t *testing.T) {
	a, b := line("self-play", 1, vector(60, 100)), line(Uniform, 1, vector(50, 100))
	rows := Table([]Line{b, a})
	if len(rows) != 2 || rows[0].Variant != SelfPlay || rows[1].Variant != Uniform {
		t.Fatalf("rows %+v", rows)
	}
	gain := rows[0].Gains[Uniform]
	// Ten bugs more, none fewer: the shares' intervals overlap, the difference is above 0.
	if rows[0].Solved.Low > rows[1].Solved.High || !near(gain.Mean, 0.1, 1e-9) || gain.Low < 0.03 || gain.High > 0.17 || gain.Seeds != 1 {
		t.Errorf("60 over 50 of the same bugs: %+v; shares %+v and %+v", gain, rows[0].Solved, rows[1].Solved)
	}
	// As many bugs more, but others: now it may be chance.
	other := line("self-play", 1, append(make([]float64, 40), vector(60, 60)...))
	if g := Table([]Line{b, other})[0].Gains[Uniform]; !near(g.Mean, 0.1, 1e-9) || g.Low > 0 {
		t.Errorf("60 others over 50: %+v", g)
	}
	if _, there := rows[1].Gains[Uniform]; there {
		t.Error("uniform is compared with itself")
	}
	if _, there := rows[0].Gains[FixerOnly]; there {
		t.Error("a variant is compared with one that was not measured")
	}
}

func TestOnlySeedsThatBothHaveAreCompared(t *testing.T) {
	rows := Table([]Line{
		line("adversarial", 1, vector(4, 10)), line("adversarial", 2, vector(10, 10)),
		line(FixerOnly, 1, vector(3, 10)), line(FixerOnly, 3, vector(0, 10)),
	})
	gain := rows[1].Gains[FixerOnly]
	if rows[1].Variant != "adversarial" || gain.Seeds != 1 || !near(gain.Mean, 0.1, 1e-9) || rows[1].Seeds != 2 || rows[1].Solved.Mean != 0.7 {
		t.Errorf("rows %+v", rows)
	}
}

func line(variant string, seed uint64, wins []float64) Line {
	l := Line{Variant: variant, Seed: seed, Snapshots: []string{"s"}}
	for i, w := range wins {
		l.Bugs = append(l.Bugs, string(rune('a'+i)))
		l.Solved = append(l.Solved, 3*int(w))
	}
	return l
}
