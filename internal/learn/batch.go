package learn

import (
	"fmt"
	"slices"
	"sort"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
	"breakfix/internal/reward"
	"breakfix/internal/stat"
	"breakfix/internal/store"
)

// Relative gives how much better each reward is than the mean of the others;
// false, with nothing but zeros, where all are the same or there is one alone:
// nothing is known of which was better.
func Relative(rewards []float64) ([]float64, bool) {
	out := make([]float64, len(rewards))
	sum, varied := 0.0, false
	for _, r := range rewards {
		sum += r
		varied = varied || r != rewards[0]
	}
	if !varied {
		return out, false
	}
	for i, r := range rewards {
		out[i] = r - (sum-r)/float64(len(rewards)-1)
	}
	return out, true
}

// Ranked gives the place of each reward among the others (stat.Above); false where all are the
// same or there is one alone. It is for rewards of which the order is meant and the distances are
// not: an invalid break earns −1, and the first bug that some attempts repair 0.2, which is no
// fifth of what the breaker should learn from it.
func Ranked(rewards []float64) ([]float64, bool) {
	out := stat.Above(rewards)
	return out, slices.ContainsFunc(out, func(a float64) bool { return a != 0 })
}

// Entry is one trajectory of a batch: that of a break, or of an attempt.
type Entry struct {
	Episode   int
	Attempt   int // 0: the break
	Role      arena.Role
	Group     string // those that its advantage is relative to
	Won       bool   // a valid bug, or a repair that was judged fixed
	Reward    float64
	Advantage float64
}

// Counts tells what of a batch says nothing.
type Counts struct {
	Groups int // bugs whose attempts, or sources whose breaks, were compared
	Flat   int // of those: all earned the same, so that nothing is relative
	Masked int // attempts and breaks that a fault of ours ended
}

// Fixes gives the attempts of episodes, each group in its order. An attempt that
// was lost to a fault of ours is left out and compared with nothing.
func Fixes(episodes []store.Episode) ([]Entry, Counts, error) {
	var all []Entry
	var n Counts
	for _, e := range episodes {
		rows, err := store.Rewards(e)
		if err != nil {
			return nil, n, err
		}
		var group []Entry
		var rewards []float64
		for _, r := range rows {
			if r.Role == store.Fixer {
				group = append(group, Entry{Episode: e.Number, Attempt: r.Attempt, Role: arena.Fixer, Group: fmt.Sprint("episode ", e.Number), Reward: r.Value})
				rewards = append(rewards, r.Value)
			}
		}
		n.Masked += len(e.Attempts) - len(group)
		if len(group) == 0 {
			continue
		}
		n.Groups++
		advantages, varied := Relative(rewards)
		if !varied {
			n.Flat++
		}
		won := map[int]bool{}
		for _, a := range e.Attempts {
			won[a.Number] = a.Outcome == outcome.Fixed
		}
		for i := range group {
			group[i].Advantage, group[i].Won = advantages[i], won[group[i].Attempt]
		}
		all = append(all, group...)
	}
	return all, n, nil
}

// Breaks gives the breaks of episodes, by source: each is compared with the
// other breaks of its source in the batch, by rank, and never with attempts. What
// pays for the form of calls is compared by how much it pays.
func Breaks(episodes []store.Episode) ([]Entry, Counts, error) {
	var n Counts
	type group struct {
		source int
		schema string // rewards of two schemas are not compared
	}
	groups := map[group][]Entry{}
	rewards := map[group][]float64{}
	var order []group
	for _, e := range episodes {
		if e.Kind != store.KindFresh {
			continue // nobody chose it
		}
		rows, err := store.Rewards(e)
		if err != nil {
			return nil, n, err
		}
		if len(rows) == 0 || rows[0].Role != store.Breaker {
			n.Masked++
			continue
		}
		at := group{e.Source, e.Schema}
		if groups[at] == nil {
			order = append(order, at)
		}
		groups[at] = append(groups[at], Entry{Episode: e.Number, Role: arena.Breaker, Group: fmt.Sprint("source ", e.Source),
			Won: e.Break.Outcome == outcome.Valid, Reward: rows[0].Value})
		rewards[at] = append(rewards[at], rows[0].Value)
	}
	sort.SliceStable(order, func(i, j int) bool { return order[i].source < order[j].source })
	var all []Entry
	for _, s := range order {
		n.Groups++
		compared := Ranked
		if schema, err := reward.Lookup(s.schema); err == nil {
			if _, graded := schema.(reward.Formal); graded { // how far a call is from being one
				compared = Relative
			}
		}
		advantages, varied := compared(rewards[s])
		if !varied {
			n.Flat++
		}
		for i := range groups[s] {
			groups[s][i].Advantage = advantages[i]
		}
		all = append(all, groups[s]...)
	}
	return all, n, nil
}

// Add sums counts.
func (c Counts) Add(o Counts) Counts {
	return Counts{c.Groups + o.Groups, c.Flat + o.Flat, c.Masked + o.Masked}
}
