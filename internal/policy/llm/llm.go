// Package llm is the policy that a language model plays: one short loop for
// both roles over an engine.Sampler, with typed tools, and learning over an
// engine.Trainer. The server owns the weights.
//
// The invariants that its tests check: the fixer's prompts hold nothing but
// what arena.Fix shows; what is trained on is token for token what was sampled;
// no model, whatever it writes, ends an episode otherwise than with one of the
// endings of Ending; and keys are nowhere in a trajectory.
package llm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
	"breakfix/internal/policy"
)

// Protocol is how a model asks for tools.
type Protocol string

// The protocols.
const (
	Calls Protocol = "calls" // the model's own function calls
	Text  Protocol = "text"  // one command in plain text, which a model of 100 M can follow
)

// Options say how a model plays. The zero value is playable.
type Options struct {
	Protocol    Protocol      // default Calls
	Brief       bool          // prompts of a few lines, for models with little context
	Context     int           // tokens of a conversation, answer included; default 32768
	Answer      int           // tokens of one answer; default 1024
	Temperature float64       // default 1: else the log-probabilities are not those of the policy
	Moves       int           // mutations that are listed; default 24
	Patience    time.Duration // of one attempt, 0 means 30 minutes; running out is a failure, and scored
	Strategies  []string      // of the breaker, drawn alike; default all, operator with Brief
	Learning    Learning
	Now         func() time.Time // default time.Now
}

func (o Options) filled() Options {
	if o.Protocol == "" {
		o.Protocol = Calls
	}
	if o.Context <= 0 {
		o.Context = 32768
	}
	if o.Answer <= 0 {
		o.Answer = 1024
	}
	if o.Temperature <= 0 {
		o.Temperature = 1
	}
	if o.Moves <= 0 {
		o.Moves = 24
	}
	if o.Patience <= 0 {
		o.Patience = 30 * time.Minute
	}
	if len(o.Strategies) == 0 {
		o.Strategies = Strategies
		if o.Brief {
			o.Strategies = []string{"operator"} // a brief prompt asks for a number of the list
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Learning = o.Learning.filled()
	return o
}

// Strategies are the ways to break that a breaker can be told to go.
var Strategies = []string{"operator", "removal", "history", "free"}

// Blobs keeps what is large beside a trajectory, by digest; a store does.
type Blobs interface {
	PutBlob(b []byte) (digest string, err error)
	Blob(digest string) ([]byte, error)
}

// Policy is a model with tools. It is safe for concurrent use.
type Policy struct {
	sampler engine.Sampler
	o       Options

	mu    sync.Mutex
	blobs Blobs
	state state
}

var _ policy.Policy = (*Policy)(nil)

// New makes a policy of a server's model. What cannot be played is an error.
func New(s engine.Sampler, o Options) (*Policy, error) {
	o = o.filled()
	if o.Protocol != Calls && o.Protocol != Text {
		return nil, fmt.Errorf("there is no tool protocol %q; there are %s and %s", o.Protocol, Calls, Text)
	}
	if o.Answer >= o.Context {
		return nil, fmt.Errorf("an answer of %d tokens leaves nothing of a context of %d for the question", o.Answer, o.Context)
	}
	for _, name := range o.Strategies {
		if _, ok := goals[name]; !ok {
			return nil, fmt.Errorf("the breaker knows no strategy %q", name)
		}
	}
	return &Policy{sampler: s, o: o}, nil
}

// KeepIn says where trajectories are kept; without it they are part of the data.
func (p *Policy) KeepIn(b Blobs) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.blobs = b
}

// Name is what the command line calls it.
func (p *Policy) Name() string { return "llm" }

// Version is the state of the model's weights.
func (p *Policy) Version() policy.Version { return policy.Version(p.sampler.Version()) }

// Waits tells that a server chooses.
func (p *Policy) Waits() bool { return true }

// Compares tells that groups which all earned the same teach nothing.
func (p *Policy) Compares() bool { return true }

// Fix plays the fixer.
func (p *Policy) Fix(ctx context.Context, a arena.Fix) (policy.Trajectory, error) {
	kit, ok := a.(arena.Toolkit)
	if !ok {
		return policy.Trajectory{}, fmt.Errorf("this attempt cannot be played with tools")
	}
	s := &fixing{a: kit, most: p.o.Moves}
	if err := s.list(); err != nil {
		return policy.Trajectory{}, err
	}
	opening, err := p.fixerPrompt(s)
	if err != nil {
		return policy.Trajectory{}, err
	}
	play, err := p.play(ctx, arena.Fixer, a.Task(), s, opening)
	if err != nil {
		return policy.Trajectory{}, err
	}
	handed := 0
	if play.Ended == Submitted || play.Ended == OutOfSteps {
		handed = s.at
	}
	if err := a.Submit(handed); err != nil {
		return policy.Trajectory{}, err
	}
	return p.trajectory(play)
}

// Break plays the breaker.
func (p *Policy) Break(ctx context.Context, a arena.Break) (policy.Trajectory, error) {
	d, ok := a.(arena.Draft)
	if !ok {
		return policy.Trajectory{}, fmt.Errorf("this break cannot be played with tools")
	}
	r := rand.New(rand.NewPCG(a.Task().Seed, 0x6c6c6d))
	s := &breaking{a: d, most: p.o.Moves}
	if err := s.draw(ctx, r, p.o.Strategies); err != nil {
		return policy.Trajectory{}, err
	}
	opening, err := p.breakerPrompt(s)
	if err != nil {
		return policy.Trajectory{}, err
	}
	play, err := p.play(ctx, arena.Breaker, a.Task(), s, opening)
	if err != nil {
		return policy.Trajectory{}, err
	}
	play.Strategy = s.strategy
	return p.trajectory(play)
}

// trajectory packs a play.
func (p *Policy) trajectory(play *Play) (policy.Trajectory, error) {
	p.mu.Lock()
	blobs := p.blobs
	p.mu.Unlock()
	data, err := pack(play, blobs)
	if err != nil {
		return policy.Trajectory{}, err
	}
	v := p.Version()
	if len(play.Turns) > 0 { // the state that chose the last step
		v = policy.Version(play.Turns[len(play.Turns)-1].Version)
	}
	return policy.Trajectory{Version: v, Steps: len(play.Turns), Data: data, Form: play.Form}, nil
}
