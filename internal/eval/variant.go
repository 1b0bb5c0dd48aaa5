package eval

import (
	"fmt"
	"strings"

	"breakfix/internal/spelling"
)

// Variant is the game with one thing taken away. The zero value of each field is
// the full game.
type Variant struct {
	Name  string
	About string

	Breaker Breaker
	Fresh   bool   // nothing but new breaks: no failed repair and no known bug is played
	Order   int    // highest order of a bug; 0: as it was asked for
	Cold    bool   // no warm start
	Blind   bool   // the search does not use what tests say of a step
	Even    bool   // one policy draws both roles' moves evenly and learns nothing
	Reward  string // the schema; empty: shared
}

// Breaker is who breaks.
type Breaker int

// The breakers.
const (
	Learning Breaker = iota // the policy that learns
	Frozen                  // the same, as it was when the run began
	Hand                    // the prior that was set by hand
)

// Names of the variants that others are compared with.
const (
	SelfPlay  = "self-play"
	Uniform   = "uniform"
	FixerOnly = "fixer-only"
)

// Variants are all there are, in the order of the table.
var Variants = []Variant{
	{Name: SelfPlay, About: "the full game under the schema shared"},
	{Name: FixerOnly, About: "static synthetic bugs: new breaks alone, drawn from the prior that was set by hand; the fixer learns", Breaker: Hand, Fresh: true, Order: 1},
	{Name: "frozen-breaker", About: "the full game, its breaker as it was at the start", Breaker: Frozen},
	{Name: "no-higher-order", About: "no failed repair is played as a bug", Order: 1},
	{Name: "no-warm-start", About: "nothing is learned before the first game", Cold: true},
	{Name: "no-feedback", About: "the fixer sees of a step whether the red test passed, and nothing else, also where it is judged", Blind: true},
	{Name: "adversarial", About: "the full game under the schema adversarial", Reward: "adversarial"},
	{Name: Uniform, About: "breaks and repairs are drawn evenly, and nothing is learned", Even: true},
}

// Names lists the variants.
func Names() []string {
	var names []string
	for _, v := range Variants {
		names = append(names, v.Name)
	}
	return names
}

// Lookup finds variants by name, in the order of the table, each once; of no
// names all are meant.
func Lookup(names []string) ([]Variant, error) {
	if len(names) == 0 {
		return Variants, nil
	}
	asked := map[string]bool{}
	for _, n := range names {
		asked[n] = true
	}
	var found []Variant
	for _, v := range Variants {
		if asked[v.Name] {
			found = append(found, v)
			delete(asked, v.Name)
		}
	}
	for _, n := range names {
		if asked[n] {
			return nil, fmt.Errorf("no variant is named %q; did you mean %q? There are %s", n, spelling.Nearest(n, Names()), strings.Join(Names(), ", "))
		}
	}
	return found, nil
}

// Cell is one run of an ablation.
type Cell struct {
	Variant Variant
	Seed    uint64
}

// String names it, and the folder of its run.
func (c Cell) String() string { return fmt.Sprintf("%s-%d", c.Variant.Name, c.Seed) }

// Plan lists the cells of n seeds, the first given: all variants of one seed, then
// those of the next, so that what was cut off compares as many seeds of each.
func Plan(variants []Variant, first uint64, n int) []Cell {
	var all []Cell
	for i := range n {
		for _, v := range variants {
			all = append(all, Cell{v, first + uint64(i)})
		}
	}
	return all
}
