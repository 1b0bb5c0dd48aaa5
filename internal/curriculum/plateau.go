package curriculum

import (
	"math"
	"sort"
)

// Round is the difficulty, in minutes, of the valid bugs of one round.
type Round struct {
	Last    int       // the last episode of the round
	Minutes []float64 // may be empty: no valid bug
}

// PlateauRounds is how many rounds the plateau rule looks at.
const PlateauRounds = 10

// Plateau tells whether the bugs have stopped becoming harder or easier, and
// the last episode of the round at which that was first so.
//
// The rule: take the medians of the last k rounds that had a valid bug and
// apply the Mann-Kendall trend test (S, its variance corrected for ties, the
// continuity correction). The series stands still when |Z| < 1.645, that is,
// when the two-sided test does not see a trend at the 10 % level. With k = 10
// a trend as weak as 33 rising pairs of 45 is seen. The window is then moved
// back for as long as the rule holds, to find where the plateau began. Fewer
// than k such rounds are never a plateau; k below 4 is read as 4, the
// smallest number at which a strict rise can be seen.
func Plateau(rounds []Round, k int) (episode int, ok bool) {
	k = max(k, 4)
	var medians []float64
	var last []int
	for _, r := range rounds {
		if len(r.Minutes) > 0 {
			medians = append(medians, median(r.Minutes))
			last = append(last, r.Last)
		}
	}
	for end := len(medians); end >= k; end-- {
		if math.Abs(trend(medians[end-k:end])) >= 1.645 {
			break
		}
		episode, ok = last[end-1], true
	}
	return episode, ok
}

// trend is the Z statistic of the Mann-Kendall test; positive when xs rises.
func trend(xs []float64) float64 {
	s := 0.0
	ties := map[float64]float64{}
	for i, x := range xs {
		ties[x]++
		for _, y := range xs[i+1:] {
			switch {
			case y > x:
				s++
			case y < x:
				s--
			}
		}
	}
	n := float64(len(xs))
	v := n * (n - 1) * (2*n + 5)
	for _, t := range ties { // a sum of whole numbers: the order of the map does not matter
		v -= t * (t - 1) * (2*t + 5)
	}
	if v <= 0 || s == 0 {
		return 0
	}
	return (s - math.Copysign(1, s)) / math.Sqrt(v/18)
}

func median(xs []float64) float64 {
	s := append([]float64(nil), xs...)
	sort.Float64s(s)
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
