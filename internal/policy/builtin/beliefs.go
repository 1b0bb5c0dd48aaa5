package builtin

import (
	"breakfix/internal/arena"
	"breakfix/internal/outcome"
)

// What a failed step says of its place, in nats that are added to the scores of
// the other edits there. Most edits of code that matters to what the red test
// compares change what it says; one that leaves the failure word by word the
// same stands where nothing depends on it, or was no change at all. Measured in
// methods.md.
const (
	sameSite    = -0.7 // the failure stayed the same: other edits of the site
	sameLine    = -0.3 // … and of its line
	changedLine = 0.15 // it changed: other edits of the line
	furtherLine = 0.5  // the test got further
	leastBelief = -3.0
	mostBelief  = 1.0
)

// place is a site of the text of a stand.
type place struct{ start, end int }

// beliefs are what the steps from one tree said of its places so far.
type beliefs struct {
	sites map[place]float64
	lines map[int]float64
}

// of is what they add to the score of a candidate.
func (b *beliefs) of(c *Candidate) float64 {
	return min(max(b.sites[place{c.start, c.end}]+b.lines[c.Line], leastBelief), mostBelief)
}

// hear takes what a failed edit of the tree showed.
func (b *beliefs) hear(c *Candidate, st *stand, obs arena.Observation, further bool) {
	if b.sites == nil {
		b.sites, b.lines = map[place]float64{}, map[int]float64{}
	}
	switch {
	case further:
		b.lines[c.Line] += furtherLine
	case obs.Verdict == outcome.TimedOut || obs.Verdict == outcome.Absent || obs.Verdict == outcome.Skipped:
	case changed(st.failure, obs):
		b.lines[c.Line] += changedLine
	default:
		b.sites[place{c.start, c.end}] += sameSite
		b.lines[c.Line] += sameLine
	}
}

// take removes the likeliest option of a tree by prior and beliefs.
func (st *stand) take() option {
	best, score := 0, 0.0
	for i := range st.queue { // in the order of scores
		o := &st.queue[i]
		if i > 0 && o.score+mostBelief < score {
			break
		}
		if s := o.score + st.beliefs.of(&o.Candidate); i == 0 || s > score {
			best, score = i, s
		}
	}
	o := st.queue[best]
	copy(st.queue[1:best+1], st.queue[:best])
	st.queue = st.queue[1:]
	return o
}
