package bug

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// HigherOrder makes a candidate of a bug and a repair that failed: repair is a
// diff against the parent's broken tree. Its Tree is the base with the bug and
// then the repair. The error says that the repair does not apply.
func HigherOrder(base *tree.Tree, parent *Bug, repair []byte, seed uint64) (Candidate, error) {
	if parent == nil {
		return Candidate{}, errors.New("a candidate of higher order needs the bug that was not repaired")
	}
	broken, err := tree.Apply(base, parent.Inject)
	if err != nil {
		return Candidate{}, fmt.Errorf("bug %s does not apply to its base: %w", parent.ID, err)
	}
	after, err := tree.Apply(broken, repair)
	if err != nil {
		return Candidate{}, fmt.Errorf("the repair does not apply to bug %s: %w", parent.ID, err)
	}
	return Candidate{Tree: after, Strategy: "higher_order", Seed: seed, Order: parent.Order + 1,
		Parents: []string{parent.ID}, Parent: parent, Repair: repair}, nil
}

// higher: the repair applied, it changed code, some test that it should have
// turned green is red still, and the state is not the parent's. That it is no
// sibling's either is what the check duplicate says.
func higher(_ context.Context, t *trial) (objection, error) {
	p := t.cand.Parent
	if p == nil {
		if t.given != nil && t.given.Order > 1 {
			return notApplicable("the parent is not in the folder")
		}
		return notApplicable("a bug of first order")
	}
	broken, err := tree.Apply(t.base, p.Inject)
	if err != nil {
		return object("the parent %s does not apply: %v", p.ID, err)
	}
	after, err := tree.Apply(broken, t.cand.Repair)
	if err != nil {
		return object("the repair does not apply: %v", err)
	}
	if after.Digest() != t.broken.Digest() {
		return object("the parent and the repair do not make this tree")
	}
	changed := false
	for _, path := range tree.Differ(broken, after) {
		before, err := broken.Read(path)
		if err != nil {
			return object("the repair adds %s", path)
		}
		now, err := after.Read(path)
		if err != nil {
			return object("the repair removes %s", path)
		}
		changed = changed || !mutate.Same(before, now)
	}
	if !changed {
		return object("the repair changed no code")
	}
	for _, id := range t.red {
		if slices.Contains(p.Red, id) {
			return objection{}, nil
		}
	}
	return object("no test of the parent's red set is red still")
}
