// Package spelling finds the known name that a misspelt one was meant to be,
// so that every error about an unknown name can say so.
package spelling

import "github.com/agnivade/levenshtein"

// Nearest returns the name of known with the fewest single-letter edits from
// name, the first of several; "" when nothing is known.
func Nearest(name string, known []string) string {
	best, fewest := "", -1
	for _, k := range known {
		if d := levenshtein.ComputeDistance(name, k); fewest < 0 || d < fewest {
			best, fewest = k, d
		}
	}
	return best
}
