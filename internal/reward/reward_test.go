package reward_test

import (
	"math"
	"strings"
	"testing"

	"breakfix/internal/outcome"
	"breakfix/internal/reward"

	"pgregory.net/rapid"
)

func schema(t interface{ Fatal(...any) }, name string) reward.Schema {
	s, err := reward.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBreakerEarnsWhatTheTableOfTheDesignSays(t *testing.T) {
	for _, c := range []struct {
		schema         string
		valid          bool
		weight         float64
		solved, scored int
		want           float64
	}{
		{"shared", false, 0.2, 0, 0, -1},
		{"shared", true, 0.2, 0, 8, 0},
		{"shared", true, 0.2, 8, 8, 0},
		{"shared", true, 0.2, 1, 8, 0.2},
		{"shared", true, 0.6, 7, 8, 0.6},
		{"shared", true, 0.2, 1, 1, 0},
		{"shared", true, 0.2, 0, 0, 0},
		{"adversarial", false, 0.2, 0, 0, -1},
		{"adversarial", true, 0.2, 0, 8, -0.8},
		{"adversarial", true, 0.2, 8, 8, -0.8},
		{"adversarial", true, 0.2, 2, 8, 0.55},
		{"adversarial", true, 0.9, 1, 2, 0.1},
		{"adversarial", true, 0.2, 0, 0, 0},
	} {
		got := schema(t, c.schema).Breaker(c.valid, c.weight, c.solved, c.scored)
		if math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: valid %v, weight %v, %d of %d solved: got %v, want %v", c.schema, c.valid, c.weight, c.solved, c.scored, got, c.want)
		}
	}
}

func TestFixerEarnsOnlyForACleanRepair(t *testing.T) {
	for _, o := range outcome.Attempts {
		for name, want := range map[string]map[bool]float64{"shared": {true: 0.4, false: 0}, "adversarial": {true: 1, false: -1}} {
			got, ok := schema(t, name).Fixer(o, 0.4)
			if o == outcome.Infrastructure {
				if ok || got != 0 {
					t.Errorf("%s: an infrastructure fault was scored with %v", name, got)
				}
				continue
			}
			if !ok || got != want[o == outcome.Fixed] {
				t.Errorf("%s: %s: got %v (scored %v), want %v", name, o, got, ok, want[o == outcome.Fixed])
			}
		}
	}
}

func TestUnknownSchemaNamesTheNearest(t *testing.T) {
	for typed, want := range map[string]string{"adverserial": `"adversarial"`, "Share": `"shared"`} {
		_, err := reward.Lookup(typed)
		if err == nil || !strings.Contains(err.Error(), "did you mean "+want) {
			t.Errorf("%s: got %v, want the hint %s", typed, err, want)
		}
	}
}

func TestRewardsStayWithinTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := schema(t, rapid.SampledFrom(reward.Names()).Draw(t, "schema"))
		weight := rapid.Float64Range(0, 1).Draw(t, "weight")
		scored := rapid.IntRange(0, 64).Draw(t, "scored")
		solved := rapid.IntRange(0, scored).Draw(t, "solved")
		valid := rapid.Bool().Draw(t, "valid")
		b := s.Breaker(valid, weight, solved, scored)
		if b < -1 || b > 1 {
			t.Fatalf("breaker's reward %v outside [-1, 1]", b)
		}
		if _, formal := s.(reward.Formal); !valid && b != -1 && !formal {
			t.Fatalf("an invalid break earned %v", b)
		}
		f, ok := s.Fixer(rapid.SampledFrom(outcome.Attempts).Draw(t, "outcome"), weight)
		if f < -1 || f > 1 || (!ok && f != 0) {
			t.Fatalf("fixer's reward %v (scored %v)", f, ok)
		}
	})
}

func TestAdversarialBreakerEarnsLessTheMoreOftenItsBugIsSolved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := schema(t, "adversarial")
		scored := rapid.IntRange(3, 64).Draw(t, "scored")
		solved := rapid.IntRange(1, scored-2).Draw(t, "solved")
		less, more := s.Breaker(true, 1, solved+1, scored), s.Breaker(true, 1, solved, scored)
		if less >= more {
			t.Fatalf("%d of %d solved earns %v, one more earns %v", solved, scored, more, less)
		}
		if s.Breaker(true, 1, 0, scored) >= less && solved+1 <= scored*9/10 {
			t.Fatalf("a bug that nobody solves earns as much as %v", less)
		}
	})
}

func TestASharedBugIsWorthMoreTheHigherItsWeight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := schema(t, "shared")
		low := rapid.Float64Range(0, 0.5).Draw(t, "low")
		high := low + rapid.Float64Range(0.01, 0.5).Draw(t, "more")
		if s.Breaker(true, low, 1, 4) >= s.Breaker(true, high, 1, 4) {
			t.Fatal("the breaker does not earn more")
		}
		l, _ := s.Fixer(outcome.Fixed, low)
		h, _ := s.Fixer(outcome.Fixed, high)
		if l >= h {
			t.Fatal("the fixer does not earn more")
		}
	})
}

// The expectation over the binomial distribution of solved attempts, searched
// on a grid, must peak where the design says.
func TestBestSolveRateOfTheAdversarialBreakerMovesWithTheGroup(t *testing.T) {
	s := schema(t, "adversarial")
	for n, want := range map[int]float64{8: 0.26, 4: 0.37, 2: 0.50} {
		best, at := math.Inf(-1), 0.0
		for i := 0; i <= 1000; i++ {
			p := float64(i) / 1000
			var e float64
			choose := 1.0
			for k := 0; k <= n; k++ {
				e += choose * math.Pow(p, float64(k)) * math.Pow(1-p, float64(n-k)) * s.Breaker(true, 1, k, n)
				choose = choose * float64(n-k) / float64(k+1)
			}
			if e > best {
				best, at = e, p
			}
		}
		if math.Abs(at-want) > 0.005 {
			t.Errorf("group of %d: the expected reward peaks at %.3f, want %.2f", n, at, want)
		}
	}
}
