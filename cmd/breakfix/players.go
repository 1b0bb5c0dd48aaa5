package main

import (
	"strings"

	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/policy/scripted"
)

// players are who breaks and who fixes.
func (c *playCmd) players() (breaker, fixer policy.Policy, err error) {
	all, err := player("policy", c.Policy)
	if err != nil {
		return nil, nil, err
	}
	breaker, fixer = all, all
	if c.Breaker != "" {
		if breaker, err = player("breaker", c.Breaker); err != nil {
			return nil, nil, err
		}
	}
	if c.Fixer != "" {
		if fixer, err = player("fixer", c.Fixer); err != nil {
			return nil, nil, err
		}
	}
	return breaker, fixer, nil
}

func player(flag, name string) (policy.Policy, error) {
	if name == "builtin" {
		return builtin.New(), nil
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
