package bug

import "math"

// The coefficients of Estimate, fitted by least squares on the logarithm of
// the bands' midpoints (7.5, 30, 120 and 480 minutes) of the 500 annotated bugs of SWE-bench
// Verified (testdata/fixtime.csv). Spearman's rank correlation with the band
// is 0.53. The data has no higher orders: fitOrder is set by hand, no evidence yet.
const (
	fitConstant = 2.078
	fitLines    = 0.427 // × ln(1 + lines that the fix adds)
	fitHunks    = 0.172 // × ln(hunks)
	fitFiles    = 0.126 // × ln(files)
	fitRed      = 0.038 // × ln(1 + red tests)
	fitOrder    = 0.3   // × (order − 1)
)

// Size is what the estimate of difficulty looks at. A bug's fix adds the lines
// that its inject.diff removes.
type Size struct {
	Lines, Hunks, Files, Red, Order int
}

// Estimate returns the difficulty of a bug of this size: the minutes that an
// expert would need, exp of the sum of the terms. It is a pure function.
func Estimate(s Size) Difficulty {
	terms := map[string]float64{
		"constant": fitConstant,
		"lines":    fitLines * math.Log1p(float64(s.Lines)),
		"hunks":    fitHunks * math.Log(math.Max(1, float64(s.Hunks))),
		"files":    fitFiles * math.Log(math.Max(1, float64(s.Files))),
		"red":      fitRed * math.Log1p(float64(s.Red)),
		"order":    fitOrder * math.Max(0, float64(s.Order-1)),
	}
	sum := 0.0
	for _, name := range []string{"constant", "lines", "hunks", "files", "red", "order"} {
		sum += terms[name] // in a fixed order: floating-point addition is not associative
	}
	return Difficulty{Minutes: math.Round(math.Exp(sum)*100) / 100, Terms: terms}
}

// WeightOf returns how often the curriculum draws a bug of this order,
// relative to others.
func WeightOf(order int) float64 { return float64(order) / 5 }
