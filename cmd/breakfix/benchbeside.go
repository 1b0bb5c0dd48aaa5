package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"breakfix/internal/learn"
	"breakfix/internal/policy"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
)

// beside gives what is compared where nothing was named, and on what.
func beside(sources, from []string) (onto, players []string) {
	if len(sources) == 0 {
		sources = []string{defaultTarget}
	}
	if len(from) == 0 {
		from = []string{fromScratch, ""}
	}
	return sources, from
}

// called is what weights are called where they are shown.
func called(from string) string {
	if from == "" {
		return "shipped"
	}
	return from
}

// printed is a result that can be written for people, too.
type printed interface{ print(to io.Writer) }

// compare prepares the sources that players are compared on, has them play there and prints what came of it.
func (f *sourceFlags) compare(a *app, sources []string, seed uint64, play func(*app, []*selfplay.Board, closingWatcher) (printed, error)) error {
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	watch := newWatcher(a)
	defer watch.Close()
	boards, err := f.prepare(a, box, sources, seed, false, watch)
	for _, b := range boards {
		defer b.Work.Close()
	}
	if err != nil {
		return err
	}
	out, err := play(a, boards, watch)
	if err != nil {
		return err
	}
	watch.Close()
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(out)
	}
	out.print(a.stdout)
	return nil
}

// inTurn has weights play, one after the other.
func inTurn(from []string, watch closingWatcher, play func(name string, p policy.Policy) error) error {
	for _, f := range from {
		p, err := player("from", "builtin", f)
		if err != nil {
			return err
		}
		watch.Stage("playing", called(f))
		if err := play(filepath.ToSlash(called(f)), p); err != nil {
			return err
		}
	}
	return nil
}

// shownAll are sources as they may be shown.
func shownAll(sources []string) (shown []string) {
	for _, s := range sources {
		shown = append(shown, source.Shown(s))
	}
	return shown
}

// gain is a rate less that of the first player, one after the other on the same bugs or in the
// same turns; paired bootstrap, 95 %.
type gain struct {
	Gain float64 `json:"gain"`
	Low  float64 `json:"gain_low"`
	High float64 `json:"gain_high"`
}

// gainOver compares what two players were worth in each of the same cases.
func gainOver(first, other []float64) *gain {
	g, diffs := gain{}, make([]float64, min(len(first), len(other)))
	for i := range diffs {
		diffs[i] = other[i] - first[i]
		g.Gain += diffs[i] / float64(len(diffs))
	}
	g.Low, g.High = learn.Interval(diffs, 0.95)
	return &g
}

// over is how it is shown; nothing for the first player.
func (g *gain) over() string {
	if g == nil {
		return ""
	}
	return fmt.Sprintf(", %+.0f (%+.0f to %+.0f) over the first", 100*g.Gain, 100*g.Low, 100*g.High)
}
