// Package policy is the one interface that players implement: the built-in
// policy, an LLM, a script. One policy plays both roles.
package policy

import (
	"context"
	"encoding/json"

	"breakfix/internal/arena"
	"breakfix/internal/testrun"
)

// Version names a state of a policy's weights.
type Version string

// Trajectory is what a player did. Data is what its own policy needs to learn
// from it; nobody else looks inside.
type Trajectory struct {
	Version Version         `json:"version"`
	Steps   int             `json:"steps"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// Policy plays. An error is a failure of ours (or of the policy's own
// machinery); giving up and losing are not errors. A policy is safe for
// concurrent use and draws all randomness from the task's seed.
type Policy interface {
	Name() string
	Version() Version
	// Break plays the breaker, Fix the fixer.
	Break(ctx context.Context, a arena.Break) (Trajectory, error)
	Fix(ctx context.Context, a arena.Fix) (Trajectory, error)
}

// Author is what a policy implements when its edits are not free text: all of
// them come from the operator bank or from a grammar of our own. They may be
// judged in the fast tiers.
type Author interface {
	OwnEdits() bool
}

// Tier is the fastest tier in which what a policy hands in may be judged.
func Tier(p Policy) testrun.Tier {
	if a, ok := p.(Author); ok && a.OwnEdits() {
		return testrun.CodeSwap
	}
	return testrun.FreshProcess
}

// Scored is a trajectory with its reward and advantage.
type Scored struct {
	Role       arena.Role
	Trajectory Trajectory
	Reward     float64
	Advantage  float64
}

// Learner is what a policy implements when it can learn.
type Learner interface {
	Learn(ctx context.Context, scored []Scored) (Version, error)
}
