package main

import (
	"context"
	"os"
	"strings"

	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/policy/scripted"
	"breakfix/internal/store"
)

// checkPlayers refuses players that cannot be made, before anything is opened. A
// model's server is asked later.
func (c *playCmd) checkPlayers() error {
	if _, err := c.schema(); err != nil {
		return err
	}
	if c.Reward == "form" && c.Breaker != llmName && (c.Breaker != "" || c.Policy != llmName) {
		return usagef("name one with --policy llm or --breaker llm", "--reward form pays for how a model writes its calls, and no model breaks")
	}
	_, fixer, err := c.players(func() (policy.Policy, error) { return nil, c.llmFlags.needed() })
	if _, ok := fixer.(*builtin.Policy); err == nil && c.Rollouts > 1 && !ok {
		return usagef("leave it out, or give more --steps", "--rollouts is for the built-in fixer, which makes several searches of an attempt")
	}
	return err
}

// open makes the players; of a model also what closes it. With another seed what is
// learned before the first game is drawn otherwise.
func (c *playCmd) open(a *app, seed uint64) (breaker, fixer policy.Policy, model *model, err error) {
	breaker, fixer, err = c.players(func() (policy.Policy, error) {
		model, err = c.llmFlags.open(a, seed, c.Learn > 0)
		if err != nil {
			return nil, err
		}
		return model.policy, nil
	})
	for _, p := range []policy.Policy{breaker, fixer} {
		if b, ok := p.(*builtin.Policy); ok {
			b.Seed = seed
		}
	}
	return breaker, fixer, model, err
}

// players are who breaks and who fixes. A flag for one role that names the policy
// again means the one that is there: it learns from both roles.
func (c *playCmd) players(llm func() (policy.Policy, error)) (breaker, fixer policy.Policy, err error) {
	made := map[string]policy.Policy{}
	of := func(flag, name string) (policy.Policy, error) {
		if name == "" {
			flag, name = "policy", c.Policy
		}
		if p, ok := made[name]; ok {
			return p, nil
		}
		var p policy.Policy
		var err error
		if name == llmName {
			p, err = llm()
		} else {
			p, err = player(flag, name, c.From)
		}
		if b, ok := p.(*builtin.Policy); ok {
			b.Warm, b.Rollouts = c.Warm, c.Rollouts
		}
		made[name] = p
		return p, err
	}
	if breaker, err = of("breaker", c.Breaker); err != nil {
		return nil, nil, err
	}
	fixer, err = of("fixer", c.Fixer)
	return breaker, fixer, err
}

// learner is the player that learns: the fixer, if it can, else the breaker;
// nil where neither can or nothing is to be learned.
func (c *playCmd) learner(breaker, fixer policy.Policy) policy.Learner {
	for _, p := range []policy.Policy{fixer, breaker} {
		if l, ok := p.(policy.Learner); ok && l.Learns() && c.Learn > 0 {
			return l
		}
	}
	return nil
}

// Words of --from that name no file.
const (
	fromScratch = "scratch"
	fromHand    = "hand"
)

// player makes the policy that a flag names; from says with which weights the
// built-in one plays: those that come with breakfix when it is empty.
func player(flag, name, from string) (policy.Policy, error) {
	if name == "builtin" {
		if err := kernelHere(); err != nil {
			return nil, err
		}
		switch from {
		case fromHand:
			return builtin.New(), nil
		case fromScratch:
			return builtin.With(builtin.Scratch(1)), nil
		case "":
			w, err := builtin.Shipped()
			if err != nil {
				return nil, err
			}
			return builtin.With(w), nil
		}
		if info, err := os.Stat(from); err == nil && info.IsDir() {
			return learned(from)
		}
		w, err := weightsOf(from)
		if err != nil {
			return nil, err
		}
		return builtin.With(w), nil
	}
	if file, ok := strings.CutPrefix(name, "scripted:"); ok {
		p, err := scripted.Open(file)
		if err != nil {
			return nil, usagef("", "--%s: %v", flag, err)
		}
		return p, nil
	}
	if name == llmName {
		return nil, usagef("breakfix play takes it", "--%s: the policy llm is not for this command", flag)
	}
	return nil, usagef("policies are builtin, llm and scripted:FILE", "--%s: no policy is named %q", flag, name)
}

// learned is the policy as the last version of a run that was accepted, or as the
// version in a folder of its versions.
func learned(dir string) (policy.Policy, error) {
	if p, err := builtin.Open(dir); err == nil {
		return p, nil
	}
	s, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	rows, err := s.Versions(context.Background())
	if err != nil {
		return nil, err
	}
	last, _, err := s.Playing(rows)
	if err != nil {
		return nil, usagef("name a run that did, or a file of weights", "--from: %v", err)
	}
	p, err := builtin.Open(last)
	if err != nil {
		return nil, usagef("name another run, or a file of weights", "--from: %v", err)
	}
	return p, nil
}

// kernelHere refuses a kernel of the network that was asked for and is not here.
func kernelHere() error {
	if _, err := network.Kernel(); err != nil {
		return usagef("unset it, or name one of these", "%v", err)
	}
	return nil
}
