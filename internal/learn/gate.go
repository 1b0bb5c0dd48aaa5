package learn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
)

// The match that a version plays before it is adopted.
const (
	MatchBugs  = 32   // that it is played on
	MatchLeast = 8    // fewer say nothing
	MatchSteps = 8    // of the one attempt at each, or as many as attempts have in play
	Margin     = 0.05 // of the mean score, by which a version may be worse
	Confidence = 0.80 // one-sided, that it is not worse by more
)

// Score is what an attempt is worth that solved a bug at its k-th step of n (0:
// not at all): 1 at the first, 1/2 at the √(2n)-th, 1/log₂(2n) at the last. What
// was solved early and what was solved at all both count, so that fewer bugs tell
// two versions apart than the solved share would need.
func Score(k, n int) float64 {
	if k <= 0 || k > n {
		return 0
	}
	return 1 - math.Log2(float64(k))/math.Log2(2*float64(n))
}

// Decision is what the gate says of a version.
type Decision struct {
	Accepted bool
	Mean     float64 // of the new score less the old, over the bugs
	Low      float64 // lower end of its one-sided interval
	Bugs     int
}

// String says it in one line.
func (d Decision) String() string {
	if d.Bugs < MatchLeast {
		return fmt.Sprintf("no match: %d bugs of held-out code, at least %d are needed", d.Bugs, MatchLeast)
	}
	word := "not worse"
	if !d.Accepted {
		word = "may be worse"
	}
	return fmt.Sprintf("%s: score %+.3f on %d held-out bugs, above %+.3f with %.0f %% confidence; %+.2f is asked", word, d.Mean, d.Bugs, d.Low, 100*Confidence, -Margin)
}

const resamples = 4000

// Judge compares two versions by their scores on the same bugs: a version is
// not worse when, with the stated confidence, its mean score is not lower by the
// margin. The interval is the percentile interval of a paired bootstrap, drawn
// with a fixed seed: the same scores give the same decision.
func Judge(now, was []float64) Decision {
	n := min(len(now), len(was))
	d := Decision{Bugs: n}
	if n < MatchLeast {
		return d
	}
	diffs := make([]float64, n)
	for i := range n {
		diffs[i] = now[i] - was[i]
		d.Mean += diffs[i] / float64(n)
	}
	d.Low, _ = Interval(diffs, 2*Confidence-1)
	d.Accepted = d.Low >= -Margin
	return d
}

// Interval is the two-sided percentile bootstrap interval of the mean of xs.
func Interval(xs []float64, confidence float64) (low, high float64) {
	if len(xs) == 0 {
		return 0, 0
	}
	r := rand.New(rand.NewPCG(1, 0x67617465))
	means := make([]float64, resamples)
	for i := range means {
		for range xs {
			means[i] += xs[r.IntN(len(xs))]
		}
		means[i] /= float64(len(xs))
	}
	sort.Float64s(means)
	tail := (1 - confidence) / 2
	at := func(q float64) float64 { return means[min(len(means)-1, int(q*float64(len(means))))] }
	return at(tail), at(1 - tail)
}

// League picks opponents of several ages among the versions that were
// accepted, oldest first: the newest, and those 1, 2, 4, 8 … before it, and the
// first.
func League(accepted []int) []int {
	var picked []int
	last := len(accepted) - 1
	for back := 0; back <= last; back = max(1, 2*back) {
		picked = append(picked, accepted[last-back])
	}
	if n := len(picked); n > 0 && picked[n-1] != accepted[0] {
		picked = append(picked, accepted[0])
	}
	return picked
}
