// Package reward turns outcomes into numbers, by named schema. Everything in
// it is pure: the same outcomes give the same reward, today and on replay. It
// knows nothing of policies, advantages or how often a bug is drawn.
package reward

import (
	"fmt"
	"sort"
	"strings"

	"breakfix/internal/outcome"
	"breakfix/internal/spelling"
)

// Schema says what an outcome is worth to each role. Rewards have no unit.
type Schema interface {
	// Name is what --reward and run.json call the schema.
	Name() string
	// Breaker returns the breaker's reward for one break. weight is the bug's
	// weight; solved of the scored attempts at it fixed it. Attempts that failed
	// for reasons of ours are in neither number. A valid break without a scored
	// attempt is worth 0: nothing is known about it.
	Breaker(valid bool, weight float64, solved, scored int) float64
	// Fixer returns the fixer's reward for one attempt; false when the attempt
	// is not scored, because the fault was ours.
	Fixer(o outcome.Attempt, weight float64) (float64, bool)
}

// Default is the name of the schema that a run uses when none is named.
const Default = "shared"

// schemas holds every schema by name.
var schemas = map[string]Schema{"shared": shared{}, "adversarial": adversarial{}, "form": form{}}

// Names lists the schemas, sorted.
func Names() []string {
	names := make([]string, 0, len(schemas))
	for n := range schemas {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Lookup returns the schema of that name. An unknown name is an error that
// names the nearest known one.
func Lookup(name string) (Schema, error) {
	if s, ok := schemas[name]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("no reward schema %q; did you mean %q? known: %s", name, spelling.Nearest(strings.ToLower(name), Names()), strings.Join(Names(), ", "))
}

// shared is the original description of the game: both roles earn the bug's
// weight when it was repaired, and the breaker earns nothing for a bug that
// everybody or nobody repairs.
type shared struct{}

func (shared) Name() string { return "shared" }

func (shared) Breaker(valid bool, weight float64, solved, scored int) float64 {
	switch {
	case !valid:
		return invalid
	case solved <= 0 || solved >= scored:
		return 0
	}
	return weight
}

func (shared) Fixer(o outcome.Attempt, weight float64) (float64, bool) {
	switch o {
	case outcome.Infrastructure:
		return 0, false
	case outcome.Fixed:
		return weight, true
	}
	return 0, true
}

// adversarial is the reward of self-play SWE-RL (SSR): the roles earn
// against each other, and the breaker earns most for bugs that are seldom, but
// sometimes, repaired.
//
// With true solve probability p and n attempts the breaker expects
// 1 − 1.8·p − 1.8·(1−p)^n, which peaks at p = 1 − n^(−1/(n−1)): 0.26 for 8
// attempts, 0.37 for 4, 0.50 for 2. The size of the group is thus part of what
// is rewarded, and is recorded with every run.
type adversarial struct{}

const (
	invalid   = -1.0 // the breaker's reward for a break that is no bug
	pointless = -0.8 // for a bug that all or none repaired
	slope     = 1.8
)

func (adversarial) Name() string { return "adversarial" }

func (adversarial) Breaker(valid bool, _ float64, solved, scored int) float64 {
	switch {
	case !valid:
		return invalid
	case scored <= 0:
		return 0
	case solved <= 0 || solved >= scored:
		return pointless
	}
	return 1 - slope*float64(solved)/float64(scored)
}

func (adversarial) Fixer(o outcome.Attempt, _ float64) (float64, bool) {
	switch o {
	case outcome.Infrastructure:
		return 0, false
	case outcome.Fixed:
		return 1, true
	}
	return -1, true
}
