package main

import (
	"fmt"
	"io"
	"runtime"
	"time"

	"breakfix/internal/policy"
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
	*gain           // of Rate
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
	c.Sources, c.From = beside(c.Sources, c.From)
	if err := within(append(c.bounds(), least("sample", c.Sample, 1), least("steps", c.Steps, 1), least("workers", c.Workers, 0))); err != nil {
		return err
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
	return c.compare(a, c.Sources, c.Seed, c.play)
}

// play has all of them play.
func (c *benchLearnCmd) play(a *app, boards []*selfplay.Board, watch closingWatcher) (printed, error) {
	watch.Stage("bugs", "")
	match, err := selfplay.NewMatch(a.drain, boards, builtin.New(), c.Sample, c.Seed, nil)
	if err != nil {
		return nil, err
	}
	if match.Bugs() == 0 {
		return nil, &source.TargetError{Reason: "no mutation that was drawn turned a test red", Next: "choose other code with --only, or raise -n"}
	}
	out := &learnt{Breakfix: version, Sources: shownAll(c.Sources), Bugs: match.Bugs(), Steps: c.Steps, Seed: c.Seed}
	err = inTurn(c.From, watch, func(name string, p policy.Policy) error {
		began := time.Now()
		solved, err := match.Play(a.drain, p, c.Steps, c.Workers)
		if err != nil {
			return err
		}
		got := learntOf{From: name, Version: string(p.Version()), Solved: solved, Seconds: time.Since(began).Seconds()}
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
			got.gain = gainOver(won(out.Players[0].Solved), won(solved))
		}
		out.Players = append(out.Players, got)
		return nil
	})
	return out, err
}

// print writes it for people.
func (o *learnt) print(to io.Writer) {
	fmt.Fprintf(to, "%s of order 1, one attempt of %s each\n", count(o.Bugs, "bug"), count(o.Steps, "step"))
	for _, p := range o.Players {
		fmt.Fprintf(to, "  %s (%s): %d solved, %.0f %% (%.0f to %.0f)%s; %d at the first step\n", p.From, p.Version, p.Bugs, 100*p.Rate, 100*p.Low, 100*p.High, p.over(), p.First)
	}
}

// won is 1 for each bug that was solved.
func won(solved []int) []float64 {
	out := make([]float64, len(solved))
	for i, step := range solved {
		if step > 0 {
			out[i] = 1
		}
	}
	return out
}
