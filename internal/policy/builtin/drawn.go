package builtin

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"breakfix/internal/arena"
	"breakfix/internal/mutate"
	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/tree"
)

// breakDraws is how many sites are drawn for one break. What its repair would be takes
// 0.13 seconds of a core to find, too long to ask it of all the sites of a snapshot.
const breakDraws = 8

// drawn is a site that may be broken, and where its repair stands among the moves that
// the fixer of the same version would have on the broken file, before any test is run.
// So what is at the edge of what the fixer can do moves with the fixer.
type drawn struct {
	Mutation string  `json:"mutation"`
	Place    int     `json:"place"`            // 1: first; 0: no move is the repair
	LogPrior float64 `json:"prior,omitempty"`  // of that move: natural logarithm of its share of all moves
	Kind     Kind    `json:"repair,omitempty"` // of that move
}

// draw gives a few sites, each in proportion to its log-probability, without those
// that it drew already.
func draw(logs []float64, n int, r *rand.Rand) (at []int) {
	seen := map[int]bool{}
	for range n {
		if i := pickLog(logs, r); !seen[i] {
			seen[i] = true
			at = append(at, i)
		}
	}
	return at
}

// foresee says of sites what their repairs would be, by weights. It reads the code and nothing
// else: no test is run.
func foresee(ctx context.Context, w *Weights, sites []mutate.Mutation, at []int, a arena.Break) ([]drawn, error) {
	all := make([]drawn, len(at))
	return all, split(ctx, len(at), func(k int) error {
		m, d := &sites[at[k]], &all[k]
		d.Mutation = m.ID
		src, err := a.Read(m.Path)
		if err != nil {
			return fmt.Errorf("read the code to break: %w", err)
		}
		broken, err := tree.ApplyEdits(src, m.Edits)
		if err != nil {
			return fmt.Errorf("mutation %s: %w", m.ID, err)
		}
		v := placed(wholeView(m.Path, broken), src)
		moves := front(v, w)
		if i := rightOf(moves, v, src); i >= 0 {
			d.Place, d.LogPrior, d.Kind = i+1, round(moves[i].LogPrior), moves[i].Kind
		}
		return nil
	})
}

// front ranks those candidates of a view, at most maxScored, that the prior that was set by hand
// likes best, with the share of each as its prior. Weights that nothing was learned into leave
// them in that order: they know of none.
func front(v View, w *Weights) []Candidate {
	l := list{view: v}
	if w != nil && w.version == VersionScratch {
		w = nil
	}
	l.order(w, maxScored, math.MaxInt)
	logs := make([]float64, len(l.cs))
	for i := range l.cs {
		logs[i] = l.cs[i].LogPrior
	}
	all := massOf(logs)
	for i := range l.cs {
		l.cs[i].LogPrior -= all
	}
	return l.cs
}

// Steps in which the share of the moves that a repair has is looked at.
const (
	priorStep  = 0.7 // nats: a factor of two
	priorSteps = 10  // what is less than a thousandth is alike
)

// look hashes what is known of a repair.
func (d *drawn) look() []uint32 {
	h := &hasher{}
	h.put("b place", bucket(d.Place))
	if d.Place > 0 {
		h.put("b prior", strconv.Itoa(min(priorSteps, int(-d.LogPrior/priorStep))))
	}
	h.put("b repair", string(d.Kind))
	return h.out
}

// looksOf gives the features of drawn sites as moves without anything else.
func looksOf(all []drawn) []network.Move {
	moves := make([]network.Move, len(all))
	for i := range all {
		moves[i].Hash = all[i].look()
	}
	return moves
}

// among gives the log-probability of each of the sites that were drawn. To draw some by
// one part of a score and to choose among them by the rest is to draw by both, the nearer
// the more are drawn (sampling/importance resampling, Rubin 1988).
func (b *breaks) among(moves []network.Move) []float64 {
	return b.over(make([]float64, len(moves)), moves)
}

// choose picks one of the sites that were drawn, with the logarithm of the chance that it had.
func (b *breaks) choose(all []drawn, r *rand.Rand) (at int, log float64) {
	if len(all) < 2 {
		return 0, 0
	}
	logs := b.among(looksOf(all))
	at = pickLog(logs, r)
	return at, logs[at]
}

// chosen is which of the sites that were drawn was broken; -1 where there was no choice.
func (b *broke) chosen() int {
	if len(b.Drawn) < 2 {
		return -1
	}
	return slices.IndexFunc(b.Drawn, func(d drawn) bool { return d.Mutation == b.Mutation })
}
