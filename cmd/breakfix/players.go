package main

import (
	"strings"

	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/policy/scripted"
)

// players are who breaks and who fixes.
func (c *playCmd) players() (breaker, fixer policy.Policy, err error) {
	all, err := player("policy", c.Policy, c.From)
	if err != nil {
		return nil, nil, err
	}
	breaker, fixer = all, all
	if c.Breaker != "" {
		if breaker, err = player("breaker", c.Breaker, c.From); err != nil {
			return nil, nil, err
		}
	}
	if c.Fixer != "" {
		if fixer, err = player("fixer", c.Fixer, c.From); err != nil {
			return nil, nil, err
		}
	}
	return breaker, fixer, nil
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
	return nil, usagef("policies of this version are builtin and scripted:FILE", "--%s: no policy is named %q", flag, name)
}

// kernelHere refuses a kernel of the network that was asked for and is not here.
func kernelHere() error {
	if _, err := network.Kernel(); err != nil {
		return usagef("unset it, or name one of these", "%v", err)
	}
	return nil
}
