package strategy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// judging is the cheap look: the red sets of mutations, alone and together, in
// the fastest tier that can. What was judged is remembered here, and in the
// cache of verdicts.
type judging struct {
	from Source
	seen map[string]look
	ran  int // trees judged
}

// look is what the suite said of some mutations made together.
type look struct {
	red             []string // sorted
	trouble, reason string   // the screen's name and why, when there is no red set to speak of
}

func newJudging(from Source) *judging { return &judging{from: from, seen: map[string]look{}} }

// at judges mutations of which no two touch the same bytes.
func (j *judging) at(ctx context.Context, ms ...mutate.Mutation) (look, error) {
	key := keyOf(ms...)
	if l, ok := j.seen[key]; ok {
		return l, nil
	}
	broken, err := mutate.Apply(j.from.Target.Snapshot.Tree, ms...)
	if err != nil {
		return look{}, err
	}
	rep, err := j.from.Target.Judge.Run(ctx, testrun.Request{Tree: broken, Tier: testrun.CodeSwap, Brief: true})
	if err != nil {
		return look{}, err
	}
	j.ran++
	l := look{red: outcome.Red(j.from.Target.Base.Results, rep.Results)}
	switch {
	case !rep.Loaded:
		l.trouble, l.reason = DoesNotLoad, "it does not load: "+firstLine(rep.LoadError)
	case rep.GaveUp:
		l.trouble, l.reason = GaveUp, fmt.Sprintf("the run gave up with %d tests red", len(l.red))
	}
	j.seen[key] = l
	return l, nil
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
