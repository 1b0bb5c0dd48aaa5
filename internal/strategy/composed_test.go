package strategy_test

import (
	"slices"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/strategy"
	"breakfix/internal/testrun"
)

// staysRed repairs each part of a composed bug: tests are red then too, and not
// the same ones.
func staysRed(t *testing.T, from strategy.Source, c bug.Candidate, b *bug.Bug) {
	t.Helper()
	var alone [][]string
	for i, m := range c.Mutations {
		rest := redOf(t, from, slices.Delete(slices.Clone(c.Mutations), i, i+1)...)
		if len(rest) == 0 {
			t.Errorf("repairing %s at %s:%d repairs all", m.Operator, m.Path, m.Line)
		}
		if slices.Equal(rest, b.Red) {
			t.Errorf("repairing %s at %s:%d changes nothing: %v", m.Operator, m.Path, m.Line, rest)
		}
		alone = append(alone, redOf(t, from, m))
	}
	union := slices.Concat(alone...)
	slices.Sort(union)
	idle := slices.ContainsFunc(alone, func(red []string) bool { return len(red) == 0 })
	if !idle && slices.Equal(slices.Compact(union), b.Red) {
		t.Errorf("the parts do together what they do alone: %v", b.Red)
	}
}

func redOf(t *testing.T, from strategy.Source, ms ...mutate.Mutation) []string {
	t.Helper()
	tree, err := mutate.Apply(from.Target.Snapshot.Tree, ms...)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := from.Target.Judge.Run(t.Context(), testrun.Request{Tree: tree, Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	return outcome.Red(from.Target.Base.Results, rep.Results)
}
