package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"breakfix/internal/learn"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
	"breakfix/internal/stat"
)

// benchLearnCmd compares what weights repair of the same bugs.
type benchLearnCmd struct {
	Sources []string `json:"sources" arg:"" optional:"" name:"source" help:"Folders, git URLs or pypi:NAME==VERSION, of which the bugs are made; default ${default_target}."`

	sourceFlags `group:"source"`
	From        []string `json:"from" help:"Weights to compare, one each time the flag is given: as play takes them. The first is what the others are compared with." placeholder:"FILE|RUN" sep:"none" group:"choice"`
	Sample      int      `json:"sample" short:"n" help:"Bugs of order 1, drawn with the seed, the sources in turn. Default ${default}." default:"100" placeholder:"N" group:"choice"`
	Steps       int      `json:"steps" help:"Steps of the one attempt at each. Default ${default}." default:"8" placeholder:"N" group:"choice"`
	Seed        uint64   `json:"seed" help:"Seed of the sample. Default ${default}." default:"1" placeholder:"N" group:"choice"`
	Workers     int      `json:"workers" help:"Attempts at the same time. Default: the cores." placeholder:"N" group:"choice"`
}

// Help is the second part of the help text.
func (benchLearnCmd) Help() string {
	return `Every player attempts the same bugs once, its likeliest repair first, and wins when the tests that the bug turned red
pass. Bugs are made by a breaker that never learns (the prior that was set by hand), so that they do not depend on what
is compared.

Examples:

    breakfix bench learn --from scratch --from runs/toolz-1 pypi:tinydb==4.9.0
    breakfix bench learn --from runs/a/versions/0 --from runs/a/versions/7 --steps 8 -n 200 pypi:cachetools==8.0.1
`
}

// learntOf is what one player did.
type learntOf struct {
	From    string  `json:"from"`
	Version string  `json:"version"`
	Solved  []int   `json:"solved"` // by bug: the step that solved it, 0: none
	First   int     `json:"first"`  // solved at the first step
	Bugs    int     `json:"bugs"`   // solved at all
	Rate    float64 `json:"rate"`
	Low     float64 `json:"low"` // Wilson 95 %
	High    float64 `json:"high"`
	Seconds float64 `json:"seconds"`
	// Of the solved share, less that of the first player on the same bugs; paired bootstrap, 95 %.
	Gain     *float64 `json:"gain,omitempty"`
	GainLow  *float64 `json:"gain_low,omitempty"`
	GainHigh *float64 `json:"gain_high,omitempty"`
}

// learnt is what bench learn prints as JSON.
type learnt struct {
	Breakfix string     `json:"breakfix"`
	Sources  []string   `json:"sources"`
	Bugs     int        `json:"bugs"`
	Steps    int        `json:"steps"`
	Seed     uint64     `json:"seed"`
	Players  []learntOf `json:"players"`
}

// refuse refuses what cannot be meant, and fills in the defaults.
func (c *benchLearnCmd) refuse() error {
	if len(c.Sources) == 0 {
		c.Sources = []string{defaultTarget}
	}
	if len(c.From) == 0 {
		c.From = []string{fromScratch, ""}
	}
	for _, f := range []struct {
		name          string
		value, lowest float64
	}{{"sample", float64(c.Sample), 1}, {"steps", float64(c.Steps), 1}, {"workers", float64(c.Workers), 0}, {"test-seconds", c.TestSeconds, 0.1},
		{"deadline-floor", c.DeadlineFloor, 0.1}, {"deadline-factor", c.DeadlineFactor, 1}} {
		if f.value < f.lowest {
			return usagef("", "--%s must be at least %v, not %v", f.name, f.lowest, f.value)
		}
	}
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	for _, from := range c.From {
		if _, err := player("from", "builtin", from); err != nil {
			return err
		}
	}
	return nil
}

// resolve is the configuration as it would be used.
func (c *benchLearnCmd) resolve(a *app, out map[string]any) (note string, err error) {
	if err := c.refuse(); err != nil {
		return "", err
	}
	out[sourcesKey], out["workers"], out["from"] = c.Sources, c.Workers, c.From
	out["cache"], err = source.CacheDir(a.Cache)
	return "", err
}

// Run compares and prints.
func (c *benchLearnCmd) Run(a *app) error {
	if err := c.refuse(); err != nil {
		return err
	}
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	watch := newWatcher(a)
	defer watch.Close()
	boards, err := c.prepare(a, box, c.Sources, c.Seed, false, watch)
	for _, b := range boards {
		defer b.Work.Close()
	}
	if err != nil {
		return err
	}
	watch.Stage("bugs", "")
	match, err := selfplay.NewMatch(a.drain, boards, builtin.New(), c.Sample, c.Seed, nil)
	if err != nil {
		return err
	}
	if match.Bugs() == 0 {
		return &source.TargetError{Reason: "no mutation that was drawn turned a test red", Next: "choose other code with --only, or raise -n"}
	}
	out := learnt{Breakfix: version, Bugs: match.Bugs(), Steps: c.Steps, Seed: c.Seed}
	for _, s := range c.Sources {
		out.Sources = append(out.Sources, source.Shown(s))
	}
	for _, from := range c.From {
		p, err := player("from", "builtin", from)
		if err != nil {
			return err
		}
		name := from
		if name == "" {
			name = "shipped"
		}
		watch.Stage("playing", name)
		began := time.Now()
		solved, err := match.Play(a.drain, p, c.Steps, c.Workers)
		if err != nil {
			return err
		}
		got := learntOf{From: filepath.ToSlash(name), Version: string(p.Version()), Solved: solved, Seconds: time.Since(began).Seconds()}
		for _, k := range solved {
			if k == 1 {
				got.First++
			}
			if k > 0 {
				got.Bugs++
			}
		}
		got.Rate = float64(got.Bugs) / float64(len(solved))
		got.Low, got.High = stat.Wilson(got.Bugs, len(solved))
		if len(out.Players) > 0 {
			diffs := make([]float64, len(solved))
			for i, k := range solved {
				diffs[i] = won(k) - won(out.Players[0].Solved[i])
			}
			gain := got.Rate - out.Players[0].Rate
			low, high := learn.Interval(diffs, 0.95)
			got.Gain, got.GainLow, got.GainHigh = &gain, &low, &high
		}
		out.Players = append(out.Players, got)
	}
	watch.Close()
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(out)
	}
	fmt.Fprintf(a.stdout, "%s of order 1, one attempt of %s each\n", count(out.Bugs, "bug"), count(out.Steps, "step"))
	for _, p := range out.Players {
		gain := ""
		if p.Gain != nil {
			gain = fmt.Sprintf(", %+.0f (%+.0f to %+.0f) over the first", 100**p.Gain, 100**p.GainLow, 100**p.GainHigh)
		}
		fmt.Fprintf(a.stdout, "  %s (%s): %d solved, %.0f %% (%.0f to %.0f)%s; %d at the first step\n", p.From, p.Version, p.Bugs, 100*p.Rate, 100*p.Low, 100*p.High, gain, p.First)
	}
	return nil
}

func won(step int) float64 {
	if step > 0 {
		return 1
	}
	return 0
}
