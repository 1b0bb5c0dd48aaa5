// Package policy is the one interface that players implement: the built-in
// policy, an LLM, a script. One policy plays both roles.
package policy

import (
	"context"
	"encoding/json"
	"errors"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
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
	// Form is how near it came to a move, of players that may fail to make one; else empty.
	Form outcome.Form `json:"form,omitempty"`
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

// ErrInput is the kind of a player's error that its input is to blame for: asked
// again it errs again.
var ErrInput = errors.New("bad input of a player")

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

// Waiter is what a policy implements whose choices come from elsewhere, so that it mostly waits.
type Waiter interface {
	Waits() bool
}

// Waits tells whether a policy mostly waits for what chooses in its place.
func Waits(p Policy) bool {
	w, ok := p.(Waiter)
	return ok && w.Waits()
}

// Skimmer is what a policy implements that takes of a failure its exception, what that says and
// where it was raised, and not the text that shows it.
type Skimmer interface {
	Skims() bool
}

// Skims tells whether a policy does without the text of failures.
func Skims(p Policy) bool {
	s, ok := p.(Skimmer)
	return ok && s.Skims()
}

// Comparer is what a Learner implements that learns from how the rewards of a group differ,
// and from nothing else: groups that all earned the same are made up for by others.
type Comparer interface {
	Compares() bool
}

// Compares tells whether a policy learns from differences alone.
func Compares(p Policy) bool {
	c, ok := p.(Comparer)
	return ok && c.Compares()
}

// Apart is what a Learner implements whose two roles learn apart: what it learns from breaks
// leaves its repairs as they are.
type Apart interface {
	Apart() bool
}

// LearnsApart tells whether what a policy learns from breaks leaves its repairs as they are.
func LearnsApart(p Policy) bool {
	a, ok := p.(Apart)
	return ok && a.Apart()
}

// Scored is a trajectory with what it was worth, and the task again, so that
// a policy need keep of it only what cannot be had from there.
type Scored struct {
	Role       arena.Role
	Trajectory Trajectory
	// Group names those that the advantage compares: the attempts of one game at one bug, the
	// breaks of one source. Trajectories of a group stand next to each other.
	Group string
	// Won says that the repair was judged fixed, or that the break is a valid bug.
	Won    bool
	Reward float64
	// Advantage is the reward relative to the group's; 0 where all of the group earned the same.
	Advantage float64
	// Uses is in how many batches it was before. A policy that learns from its own latest
	// version alone passes over what was used, and over what Trajectory.Version says is another's.
	Uses int
	// The task as the player met it: Break for the breaker, Fix for the fixer, the other is nil.
	// Both are there to be read: no step can be made, and what is chosen or handed in has no effect.
	Break arena.Break
	Fix   arena.Fix
	// Right gives a file of Fix's code as it was before anything was broken; nil for the breaker.
	// Whoever played could not see it: it is the label that every bug comes with.
	Right func(path string) ([]byte, error)
}

// Learner is what a policy implements when it can learn. A run has at most
// one; it calls these methods one at a time, while nobody plays with the learner itself.
type Learner interface {
	Policy
	// Learns reports whether it can, with the weights and the engine that it has.
	Learns() bool
	// Pinned is the current version as a player that stays what it is while the learner
	// learns and goes elsewhere. An error says why there can be none.
	Pinned() (Policy, error)
	// Learn makes the next version out of the current one and plays with it from then on. The
	// same version and batch make the same next version. An error leaves the current version.
	// Nothing in a batch that can be learned from is no error: the version stays.
	Learn(ctx context.Context, scored []Scored) (Version, error)
	// Save writes the current version to a folder that is there and empty: all that Restore
	// needs to go on as if nothing had been between, also in another process.
	Save(ctx context.Context, dir string) error
	// Restore goes back, or forward, to a version that Save wrote.
	Restore(ctx context.Context, dir string) error
}

// Beginner is what a Learner implements that can begin from nothing: it learns
// what code looks like before the first game. Texts are functions of the code to
// play on, those left out that versions are compared on. A learner that knows something
// only keeps them; a run that goes on shows them again.
type Beginner interface {
	Begin(ctx context.Context, texts []Text, progress func(done, of int)) (Version, error)
}

// Text is a file of code.
type Text struct {
	Path    string
	Source  []byte
	HeldOut [][2]int // first and last lines of functions that nobody learns from
}

// Steady is what a policy implements when its play can be had without the
// noise that makes the attempts of a group differ: matches are played so.
type Steady interface {
	Steady() Policy
}
