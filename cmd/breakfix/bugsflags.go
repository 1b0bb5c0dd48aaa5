package main

import (
	"fmt"
	"runtime"
	"slices"

	"breakfix/internal/bugset"
	"breakfix/internal/mutate"
	"breakfix/internal/source"
	"breakfix/internal/strategy"
)

// refuse refuses what cannot be meant, and gives the strategies to draw from.
func (c *bugsCmd) refuse() ([]bugset.Share, error) {
	if len(c.Sources) == 0 {
		return nil, usagef("breakfix bugs -n 20 . makes bugs of this folder; see breakfix bugs --help", "no source was named")
	}
	if c.Number == 0 {
		return nil, usagef("say how many with -n, as in -n 100", "the number of bugs is missing")
	}
	if err := within(append(c.bounds(), least("number", c.Number, 1), least("minutes", c.Minutes, 0), least("workers", c.Workers, 0))); err != nil {
		return nil, err
	}
	for _, name := range c.Operators {
		if _, err := mutate.Lookup(name); err != nil {
			return nil, usagef("breakfix bugs --list-operators lists them", "--operators: %v", err)
		}
	}
	if err := knownFormat(c.Format); err != nil {
		return nil, err
	}
	if err := absolute(c.Sources); err != nil {
		return nil, err
	}
	return c.mix()
}

// The strategies that --parts and --operators speak of.
const (
	single    = "operator"
	composing = "composed"
)

// mix is what --strategy, --parts and --operators say together. Without
// --strategy it is every strategy that they leave, with its own weight.
func (c *bugsCmd) mix() ([]bugset.Share, error) {
	if c.Parts < 0 || c.Parts > strategy.MaxParts {
		return nil, usagef(fmt.Sprintf("1 makes single mutations, 2 to %d compose several", strategy.MaxParts), "--parts must be from 1 to %d, not %d", strategy.MaxParts, c.Parts)
	}
	mix, err := bugset.ParseMix(c.Strategy)
	if err != nil {
		return nil, usagef("breakfix bugs --list-strategies lists them", "--strategy: %v", err)
	}
	composes := slices.ContainsFunc(mix, func(s bugset.Share) bool { return s.Name == composing && s.Weight > 0 })
	switch {
	case c.Parts == 1 && composes:
		return nil, usagef("give --parts 2, 3 or 4", "--parts 1 makes single mutations, and --strategy asks for composed ones")
	case c.Parts > 1 && len(mix) > 0 && !composes:
		return nil, usagef("add composed to --strategy, or leave --parts out", "--parts %d is for composed bugs, and --strategy asks for others only", c.Parts)
	case len(mix) > 0:
		return mix, nil
	}
	for _, k := range strategy.Kinds() {
		switch {
		case c.Parts == 1 && k.Name != single, c.Parts > 1 && k.Name != composing:
		case len(c.Operators) > 0 && k.Name != single && k.Name != composing: // they know no operators
		default:
			mix = append(mix, bugset.Share{Name: k.Name, Weight: k.Weight})
		}
	}
	return mix, nil
}

// resolve is the configuration as bugs would use it.
func (c *bugsCmd) resolve(a *app, out map[string]any) (note string, err error) {
	if c.ListOperators || c.ListStrategies {
		return "", nil
	}
	mix, err := c.refuse()
	if err != nil {
		return "", err
	}
	set, err := c.openSet(a)
	if err != nil {
		return "", err
	}
	var words []string
	for _, s := range mix {
		words = append(words, fmt.Sprintf("%s=%v", s.Name, s.Weight))
	}
	out[sourcesKey], out["workers"], out["strategy"], out["out"] = c.Sources, c.workers(), words, set.dir
	if c.Seed == nil {
		note = "# seed: drawn when it starts\n"
	}
	if set.found {
		note, out["seed"] = "# the set is there already: this goes on with it\n", set.seed
	}
	for key, given := range map[string]bool{"minutes": c.Minutes > 0, "parts": c.Parts > 0, "list-operators": false, "list-strategies": false} {
		if !given {
			delete(out, key)
		}
	}
	out["cache"], err = source.CacheDir(a.Cache)
	return note, err
}

// parts is what the strategy composed is told.
func (c *bugsCmd) parts() int {
	if c.Parts < strategy.MinParts {
		return 0
	}
	return c.Parts
}

func (c *bugsCmd) workers() int {
	if c.Workers > 0 {
		return c.Workers
	}
	return runtime.NumCPU()
}
