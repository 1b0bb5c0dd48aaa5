package selfplay

import (
	"breakfix/internal/learn"
	"breakfix/internal/policy"
	"breakfix/internal/stat"
	"breakfix/internal/store"
)

// version is a state of the weights: its number is its place in the list and
// the name of its folder.
type version struct {
	Name     policy.Version `json:"name"`
	Episode  int            `json:"episode"` // the first that it may play
	Accepted bool           `json:"accepted"`
	Gate     string         `json:"gate"`
	Solved   []int          `json:"solved"`           // by bug of the match: the step that solved it, 0: none; null: not played
	Again    []int          `json:"again,omitempty"`  // the same of the second look
	Breaks   bool           `json:"breaks,omitempty"` // it repairs as the version that it was made from, and learned from breaks alone
}

// versions are those of a run, by number.
type versions []version

// compared is the last accepted version that played the match, or learned from breaks alone over one
// that did: one that is refused tells against those since then, too. It is the version that plays where each is judged.
func (vs versions) compared() int {
	for n := len(vs) - 1; n > 0; n-- {
		if v := vs[n]; v.Accepted && (v.Solved != nil || v.Breaks) {
			return n
		}
	}
	return 0
}

// best is the strongest of the league in the match: compared with the version before
// alone, many small losses that each might be chance would add up.
func (vs versions) best(steps int) int {
	var accepted []int
	for n, v := range vs {
		if v.Accepted && v.Solved != nil && !v.Breaks {
			accepted = append(accepted, n)
		}
	}
	best, top := 0, -1.0
	for _, n := range learn.League(accepted) {
		sum := 0.0
		for _, s := range scores(vs[n].Solved, steps) {
			sum += s
		}
		if sum > top {
			best, top = n, sum
		}
	}
	return best
}

// judge decides on v, the version after these, which has played the match. It is held against
// the best of them, which of several on the same bugs is in part the luckiest. So where that
// would refuse it both play other bugs, by which nobody was chosen, and these decide. again has
// version n play them; nil: there are none. What a version did there is kept.
func (vs versions) judge(v *version, steps int, again func(n int) ([]int, error)) (err error) {
	best := vs.best(steps)
	d := learn.Judge(scores(v.Solved, steps), scores(vs[best].Solved, steps))
	v.Accepted, v.Gate = d.Accepted, d.String()
	if d.Accepted || again == nil {
		return nil
	}
	if v.Again, err = again(len(vs)); err != nil {
		return err
	}
	if vs[best].Again == nil {
		if vs[best].Again, err = again(best); err != nil {
			return err
		}
	}
	d = learn.Judge(scores(v.Again, steps), scores(vs[best].Again, steps))
	v.Accepted, v.Gate = d.Accepted, v.Gate+"; on other bugs "+d.String()
	return nil
}

// row is a version as the run lists it.
func (vs versions) row(n int) store.Version {
	v := vs[n]
	row := store.Version{Version: string(v.Name), Episode: v.Episode, Accepted: &v.Accepted, Gate: v.Gate}
	if m := len(v.Solved); m > 0 {
		rate := float64(wins(v.Solved)) / float64(m)
		low, high := stat.Wilson(wins(v.Solved), m)
		row.SolveRate, row.Low, row.High = &rate, &low, &high
	}
	return row
}
