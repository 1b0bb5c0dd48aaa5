// Package builtin is the policy that needs nothing but breakfix. As breaker it
// draws a site by a hand-set prior and what was learned of breaks; as fixer it
// lists candidate edits of the context, ranks them by a network (or a hand-set
// prior) with seeded noise, and tries them one by one. It learns from what is
// judged of both: see learn.go.
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

// OpenTemperature is that of weights that began from nothing and learn by play: drawn in
// proportion to what they believe, more bugs are repaired by some attempts of a
// group and not by all, and nothing else says which attempt was better.
const OpenTemperature = 1.0

// Policy plays both roles. It is safe for concurrent use; what it remembers
// saves time and changes nothing.
type Policy struct {
	Temperature float64
	// Rollouts is how many searches an attempt is: its steps are split between
	// them. 0 is 1.
	Rollouts int
	// Warm is how many functions Begin damages to learn from.
	Warm int
	// Tree makes a search choose by PUCT which tree to go on from, the broken one or one that
	// got further; else every third step goes to the one that got furthest.
	Tree bool
	// Blind makes a search see of a step whether the red test passed, and nothing
	// else: it never goes on from a repair that failed, and hands in the likeliest
	// that it tried when none passed.
	Blind bool
	// Silent leaves out what the red test says: its text and how it fails, on the
	// broken tree and after each step.
	Silent bool
	// Sightless leaves out what values expressions have while the red test runs.
	Sightless bool
	// Seed varies what Begin draws, so that runs begin with different weights.
	Seed    uint64
	uniform bool
	weights *Weights       // of repairs; nil: the hand-set prior
	breaks  *breaks        // what was learned of breaks; nil: the hand-set prior
	version policy.Version // of both; empty: that of the weights
	lists   *lists
	looks   *looks
	code    []function // functions that Begin was shown
	taught  *taught
}

var (
	_ policy.Learner  = (*Policy)(nil)
	_ policy.Beginner = (*Policy)(nil)
	_ policy.Steady   = (*Policy)(nil)
)

// New returns version 0, the hand-set prior, with the default temperature.
func New() *Policy { return With(nil) }

// With returns the policy that ranks repairs by weights.
func With(w *Weights) *Policy {
	p := &Policy{Temperature: DefaultTemperature, Warm: DefaultWarm, weights: w, lists: &lists{}, looks: &looks{}, taught: &taught{}}
	if w != nil {
		p.breaks = newBreaks(w.version != VersionScratch)
		if !w.byHand() {
			p.Temperature = OpenTemperature
		}
	}
	return p
}

// VersionUniform learns nothing and ranks nothing.
const VersionUniform policy.Version = "builtin-uniform"

// Uniform returns the policy that everything is measured from: it draws breaks and
// repairs, each alike, other ones with another seed, and learns nothing.
func Uniform(seed uint64) *Policy {
	p := With(Scratch(seed))
	p.uniform, p.Seed, p.Temperature, p.version = true, seed, 1, VersionUniform
	return p
}

// Steady is the policy without noise, its likeliest repair first, in one search. Where all are
// alike the noise is all there is, and stays.
func (p *Policy) Steady() policy.Policy {
	s := *p
	s.lists, s.Rollouts = &lists{}, 1
	if !p.uniform {
		s.Temperature = 0
	}
	return &s
}

// Pinned implements policy.Learner: what it learns makes other weights and leaves these.
func (p *Policy) Pinned() (policy.Policy, error) {
	s := *p
	return &s, nil
}

// Name is what the command line calls it.
func (*Policy) Name() string { return "builtin" }

// OwnEdits says that its moves are the bank's mutations and a grammar of edits.
func (*Policy) OwnEdits() bool { return true }

// Skims implements policy.Skimmer.
func (*Policy) Skims() bool { return true }

// Version names the state of its weights.
func (p *Policy) Version() policy.Version {
	switch {
	case p.version != "":
		return p.version
	case p.weights == nil:
		return Version0
	}
	return p.weights.version
}

// Break draws a few sites and chooses one of them by what its repair would be; where
// nothing is learned of breaks it draws one.
func (p *Policy) Break(ctx context.Context, a arena.Break) (policy.Trajectory, error) {
	sites := a.Sites()
	if len(sites) == 0 {
		return policy.Trajectory{Version: p.Version()}, nil
	}
	logs, err := p.logs(sites, a)
	if err != nil {
		return policy.Trajectory{}, err
	}
	r := rand.New(rand.NewPCG(a.Task().Seed, seedBreak))
	did, at := broke{Sites: len(sites)}, 0
	if p.Learns() {
		several := draw(logs, breakDraws, r)
		if did.Drawn, err = foresee(ctx, p.weights, sites, several, a); err != nil {
			return policy.Trajectory{}, err
		}
		k, log := p.breaks.choose(did.Drawn, r)
		at, did.LogProb = several[k], log
	} else {
		at = pickLog(logs, r)
	}
	did.Mutation, did.LogProb = sites[at].ID, round(did.LogProb+logs[at])
	if err := a.Choose(sites[at]); err != nil {
		return policy.Trajectory{}, fmt.Errorf("choose a mutation: %w", err)
	}
	data, err := json.Marshal(did)
	return policy.Trajectory{Version: p.Version(), Steps: 1, Data: data}, err
}

// broke is the breaker's trajectory.
type broke struct {
	Mutation string  `json:"mutation"`
	LogProb  float64 `json:"log_prob"`
	Sites    int     `json:"sites"`
	Drawn    []drawn `json:"drawn,omitempty"` // the sites that it was chosen of
}

// Streams of the generators that one task's seed starts.
const (
	seedBreak = 0x627265616b
	seedFix   = 0x666978
	seedEven  = 0x6576656e
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

// Weights are those that repairs are ranked by; nil: the hand-set prior.
func (p *Policy) Weights() *Weights { return p.weights }
