package bench

import "slices"

// Way is one way of finding out what a suite says to a mutant.
type Way string

// The ways, from the slowest.
const (
	FreshSuite    Way = "fresh_suite"    // a fresh process, the whole suite: the truth
	FreshCovering Way = "fresh_covering" // a fresh process, the tests that the mutant can affect
	Core          Way = "core"           // the tiers: the same tests, all of them reported
	CoreFirstRed  Way = "core_first_red" // the tiers, until the first red test
)

// Ways are all ways in the order in which they are shown.
var Ways = []Way{FreshSuite, FreshCovering, Core, CoreFirstRed}

// slow tells that a way judges only the first mutants.
func (w Way) slow() bool { return w == FreshSuite || w == FreshCovering }

// turn is a time in which one way judges some mutants, with all workers.
type turn struct {
	way     Way
	block   int
	mutants []int
}

// plan divides n mutants into blocks, of each of which every way has its turn,
// the core repeat of them; the order is rotated from block to block, so that
// what the machine does meanwhile hits all ways alike. The slow ways judge the
// first truth mutants alone, which are spread over all blocks.
func plan(n, truth, blocks, repeat int) []turn {
	blocks = max(1, min(blocks, truth, n))
	var turns []turn
	for b := range blocks {
		both := part(0, truth, b, blocks)
		all := append(part(0, truth, b, blocks), part(truth, n, b, blocks)...)
		ways := slices.Clone(Ways)
		for i := 1; i < repeat; i++ {
			ways = append(ways, Core)
		}
		for i := range ways {
			t := turn{way: ways[(i+b)%len(ways)], block: b, mutants: all}
			if t.way.slow() {
				t.mutants = both
			}
			turns = append(turns, t)
		}
	}
	return turns
}

// part returns the b-th of several parts of the numbers in [from, to).
func part(from, to, b, parts int) []int {
	var out []int
	for i := from + (to-from)*b/parts; i < from+(to-from)*(b+1)/parts; i++ {
		out = append(out, i)
	}
	return out
}

// blocksOf is how many blocks there are: in each the workers have about four
// mutants of the slow ways, so that one that waits for another's end costs little.
func blocksOf(truth, workers int) int {
	return max(1, (truth+4*workers-1)/(4*workers))
}
