// Package builtin is the policy that needs nothing but breakfix. Version 0
// does not learn: as breaker it draws an operator by a hand-set prior and then
// a site; as fixer it lists candidate edits of the context, ranks them by a
// hand-set prior with seeded noise, and tries them one by one.
//
// It looks at nothing but the task and what the arena lets it read.
package builtin

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"

	"breakfix/internal/arena"
	"breakfix/internal/policy"
)

// Version0 is the hand-set prior.
const Version0 policy.Version = "builtin-0"

// DefaultTemperature scales the Gumbel noise on the log prior of candidates.
// At 1 the order is a draw without replacement in proportion to the prior; at
// 0 all attempts are the same. At a half the front of the list stays in front
// and attempts of a group still differ.
const DefaultTemperature = 0.5

// Policy plays both roles. It is safe for concurrent use; what it remembers
// saves time and changes nothing.
type Policy struct {
	Temperature float64
	// Rollouts is how many searches an attempt is: its steps are split between
	// them. 0 is 1.
	Rollouts int
	weights  *Weights // nil: the hand-set prior
	lists    lists
}

var _ policy.Policy = (*Policy)(nil)

// New returns version 0, the hand-set prior, with the default temperature.
func New() *Policy { return &Policy{Temperature: DefaultTemperature} }

// With returns the policy that ranks repairs by weights.
func With(w *Weights) *Policy { return &Policy{Temperature: DefaultTemperature, weights: w} }

// Name is what the command line calls it.
func (*Policy) Name() string { return "builtin" }

// OwnEdits says that its moves are the bank's mutations and a grammar of edits.
func (*Policy) OwnEdits() bool { return true }

// Version names the state of its weights.
func (p *Policy) Version() policy.Version {
	if p.weights == nil {
		return Version0
	}
	return p.weights.version
}

// Break draws an operator, then one of its sites.
func (p *Policy) Break(_ context.Context, a arena.Break) (policy.Trajectory, error) {
	sites := a.Sites()
	if len(sites) == 0 {
		return policy.Trajectory{Version: p.Version()}, nil
	}
	at, logp := draw(sites, a, rand.New(rand.NewPCG(a.Task().Seed, seedBreak)))
	if err := a.Choose(sites[at]); err != nil {
		return policy.Trajectory{}, fmt.Errorf("choose a mutation: %w", err)
	}
	data, err := json.Marshal(struct {
		Mutation string  `json:"mutation"`
		LogProb  float64 `json:"log_prob"`
		Sites    int     `json:"sites"`
	}{sites[at].ID, round(logp), len(sites)})
	return policy.Trajectory{Version: p.Version(), Steps: 1, Data: data}, err
}

// Streams of the generators that one task's seed starts.
const (
	seedBreak = 0x627265616b
	seedFix   = 0x666978
)

// round keeps records short and the same on every machine.
func round(x float64) float64 { return math.Round(x*1e4) / 1e4 }

// gumbel draws from the standard Gumbel distribution.
func gumbel(r *rand.Rand) float64 {
	u := r.Float64()
	for u == 0 {
		u = r.Float64()
	}
	return -math.Log(-math.Log(u))
}
