package main

import (
	"fmt"
	"io"
	"runtime"
	"time"

	"breakfix/internal/policy"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
	"breakfix/internal/stat"
)

// benchBreaksCmd compares what breakers' breaks are to one fixer.
type benchBreaksCmd struct {
	Sources []string `json:"sources" arg:"" optional:"" name:"source" help:"Folders, git URLs or pypi:NAME==VERSION, which are broken; default ${default_target}."`

	sourceFlags `group:"source"`
	From        []string `json:"from" help:"Weights that break, one each time the flag is given: as play takes them. The first is what the others are compared with. Default: scratch, then what comes with breakfix." placeholder:"FILE|RUN" sep:"none" group:"choice"`
	Fixer       string   `json:"fixer" help:"Weights that repair what each of them breaks: as play takes them. Default: the last of those that break." placeholder:"FILE|RUN" group:"choice"`
	Sample      int      `json:"sample" short:"n" help:"Breaks of each, the sources in turn. Default ${default}." default:"100" placeholder:"N" group:"choice"`
	Group       int      `json:"group" help:"Attempts at each. Default ${default}." default:"8" placeholder:"N" group:"choice"`
	Steps       int      `json:"steps" help:"Steps of each attempt. Default ${default}." default:"16" placeholder:"N" group:"choice"`
	Seed        uint64   `json:"seed" help:"Seed of breaks and attempts. Default ${default}." default:"1" placeholder:"N" group:"choice"`
	Workers     int      `json:"workers" help:"Breaks that are attempted at the same time. Default: the cores." placeholder:"N" group:"choice"`
}

// Help is the second part of the help text.
func (benchBreaksCmd) Help() string {
	return `In play both roles learn, so that the share of breaks that the fixer repairs sometimes says little of the breaker alone.
Here every breaker breaks as often, and one and the same fixer has a group of attempts at each break. A break is valid
when some of the eight fastest tests that run it go red and none hangs, and repaired when the red ones pass; nothing is
minimised or graded. What counts is the share of all breaks that some attempts repair and some do not: only these say
which attempt was better.

Examples:

    breakfix bench breaks --from scratch --from runs/toolz-1 pypi:tinydb==4.9.0
    breakfix bench breaks --from runs/a/versions/0 --from runs/a/versions/7 --fixer runs/a --group 4 pypi:cachetools==8.0.1
`
}

// brokenBy is what came of one breaker's breaks.
type brokenBy struct {
	From      string           `json:"from"`
	Version   string           `json:"version"`
	Breaks    int              `json:"breaks"`
	Valid     int              `json:"valid"`
	Always    int              `json:"always"`    // repaired by all attempts
	Sometimes int              `json:"sometimes"` // by some, and not by others
	Never     int              `json:"never"`     // by none
	Rate      float64          `json:"rate"`      // Sometimes of Breaks
	Low       float64          `json:"low"`       // Wilson 95 %
	High      float64          `json:"high"`
	Seconds   float64          `json:"seconds"`
	Faced     []selfplay.Faced `json:"faced"`
	*gain
}

// broken is what bench breaks prints as JSON.
type broken struct {
	Breakfix string     `json:"breakfix"`
	Sources  []string   `json:"sources"`
	Fixer    string     `json:"fixer"` // version
	Group    int        `json:"group"`
	Steps    int        `json:"steps"`
	Seed     uint64     `json:"seed"`
	Breakers []brokenBy `json:"breakers"`
}

// refuse refuses what cannot be meant, and fills in the defaults.
func (c *benchBreaksCmd) refuse() error {
	c.Sources, c.From = beside(c.Sources, c.From)
	if err := within(append(c.bounds(), least("sample", c.Sample, 1), least("group", c.Group, 2), least("steps", c.Steps, 1), least("workers", c.Workers, 0))); err != nil {
		return err
	}
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	if c.Fixer == "" {
		c.Fixer = c.From[len(c.From)-1]
	}
	for _, from := range c.From {
		if _, err := player("from", "builtin", from); err != nil {
			return err
		}
	}
	if _, err := player("fixer", "builtin", c.Fixer); err != nil {
		return err
	}
	return nil
}

// resolve is the configuration as it would be used.
func (c *benchBreaksCmd) resolve(a *app, out map[string]any) (note string, err error) {
	if err := c.refuse(); err != nil {
		return "", err
	}
	out[sourcesKey], out["workers"], out["from"], out["fixer"] = c.Sources, c.Workers, c.From, c.Fixer
	out["cache"], err = source.CacheDir(a.Cache)
	return "", err
}

// Run compares and prints.
func (c *benchBreaksCmd) Run(a *app) error {
	if err := c.refuse(); err != nil {
		return err
	}
	return c.compare(a, c.Sources, c.Seed, c.play)
}

// play has all of them play.
func (c *benchBreaksCmd) play(a *app, boards []*selfplay.Board, watch closingWatcher) (printed, error) {
	fixer, err := player("fixer", "builtin", c.Fixer)
	if err != nil {
		return nil, err
	}
	out := &broken{Breakfix: version, Sources: shownAll(c.Sources), Fixer: string(fixer.Version()), Group: c.Group, Steps: c.Steps, Seed: c.Seed}
	err = inTurn(c.From, watch, func(name string, p policy.Policy) error {
		began := time.Now()
		faced, err := selfplay.Face(a.drain, boards, p, fixer, selfplay.FaceOptions{Breaks: c.Sample, Group: c.Group, Steps: c.Steps, Workers: c.Workers, Seed: c.Seed})
		if err != nil {
			return err
		}
		got := brokenBy{From: name, Version: string(p.Version()), Breaks: len(faced), Seconds: time.Since(began).Seconds(), Faced: faced}
		got.count(c.Group)
		if len(out.Breakers) > 0 {
			got.gain = gainOver(c.sometimes(out.Breakers[0].Faced), c.sometimes(faced))
		}
		out.Breakers = append(out.Breakers, got)
		return nil
	})
	return out, err
}

// print writes it for people.
func (o *broken) print(to io.Writer) {
	fmt.Fprintf(to, "%s by each, %s of %s at every one\n", count(o.Breakers[0].Breaks, "break"), count(o.Group, "attempt"), count(o.Steps, "step"))
	for _, b := range o.Breakers {
		fmt.Fprintf(to, "  %s (%s): %d of %d valid; repaired sometimes %d, %.0f %% (%.0f to %.0f)%s; always %d, never %d\n",
			b.From, b.Version, b.Valid, b.Breaks, b.Sometimes, 100*b.Rate, 100*b.Low, 100*b.High, b.over(), b.Always, b.Never)
	}
}

// count says what came of the breaks, of which each had a group of attempts.
func (b *brokenBy) count(group int) {
	for _, f := range b.Faced {
		switch {
		case !f.Valid:
			continue
		case f.Sometimes(group):
			b.Sometimes++
		case f.Fixed > 0:
			b.Always++
		default:
			b.Never++
		}
		b.Valid++
	}
	b.Rate = float64(b.Sometimes) / float64(max(1, len(b.Faced)))
	b.Low, b.High = stat.Wilson(b.Sometimes, len(b.Faced))
}

// sometimes is 1 for each break that some attempts repaired and some did not.
func (c *benchBreaksCmd) sometimes(faced []selfplay.Faced) []float64 {
	out := make([]float64, len(faced))
	for i, f := range faced {
		if f.Sometimes(c.Group) {
			out[i] = 1
		}
	}
	return out
}
