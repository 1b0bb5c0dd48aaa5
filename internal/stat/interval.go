package stat

import (
	"cmp"
	"math"
)

// Wilson returns the 95 % score interval of Wilson (1927) for k of n; of nothing
// all is possible.
func Wilson(k, n int) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	const z = 1.959963984540054
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, centre-half), min(1, centre+half)
}

// Above gives how many more of the others each of some numbers is above than below, as a share of
// them: 1 for the largest of all, −1 for the smallest, 0 where all are the same.
func Above(xs []float64) []float64 {
	out := make([]float64, len(xs))
	for i, x := range xs {
		sum := 0
		for _, o := range xs {
			sum += cmp.Compare(x, o)
		}
		if sum != 0 {
			out[i] = float64(sum) / float64(len(xs)-1)
		}
	}
	return out
}
