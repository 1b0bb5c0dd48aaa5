package strategy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// judging is the cheap look: the red sets of mutations, alone and together, in
// the fastest tier that can.
type judging struct {
	from  Source
	looks *Looks
}

// giveUpAfter is how many tests may time out; it is the runner's own default.
const giveUpAfter = 3

func newJudging(from Source) *judging {
	j := &judging{from: from, looks: from.Looks}
	if j.looks == nil {
		j.looks = NewLooks(1, nil)
	}
	return j
}

// at judges mutations of which no two touch the same bytes.
func (j *judging) at(ctx context.Context, ms ...mutate.Mutation) (Look, error) {
	if l, ok := j.looks.at(ms); ok {
		return l, nil
	}
	broken, err := mutate.Apply(j.from.Target.Snapshot.Tree, ms...)
	if err != nil {
		return Look{}, err
	}
	rep, err := j.from.Target.Judge.Run(ctx, testrun.Request{Tree: broken, Tier: testrun.CodeSwap, Brief: true})
	if err != nil {
		return Look{}, err
	}
	// Counted as well as told, as validation does: a run that found some of its
	// verdicts in the cache gives up later than one that made them all, and what is
	// drawn must not depend on the cache.
	hung := 0
	for _, v := range rep.Results {
		if v == outcome.TimedOut {
			hung++
		}
	}
	l := Look{Mutations: idsOf(ms), Red: outcome.Red(j.from.Target.Base.Results, rep.Results)}
	switch {
	case !rep.Loaded:
		l.Trouble, l.Reason = DoesNotLoad, "it does not load: "+firstLine(rep.LoadError)
	case rep.GaveUp || hung >= giveUpAfter:
		l.Trouble, l.Reason = GaveUp, fmt.Sprintf("the run gave up with %d tests red", len(l.Red))
	}
	return l, j.looks.add(l)
}

// ahead judges what at will be asked for, several at the same time.
func (j *judging) ahead(ctx context.Context, sets ...[]mutate.Mutation) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(j.looks.atOnce)
	for _, ms := range sets {
		g.Go(func() error {
			_, err := j.at(ctx, ms...)
			return err
		})
	}
	return g.Wait()
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}

// union returns the sorted union of sorted sets.
func union(sets ...[]string) []string {
	all := slices.Concat(sets...)
	slices.Sort(all)
	return slices.Compact(all)
}

// common reports how many members two sorted sets share.
func common(a, b []string) int {
	n := 0
	for i, k := 0, 0; i < len(a) && k < len(b); {
		switch strings.Compare(a[i], b[k]) {
		case 0:
			n++
			i++
			k++
		case -1:
			i++
		default:
			k++
		}
	}
	return n
}
