package arena

import (
	"context"
	"fmt"
	"sync"

	"breakfix/internal/lang"
	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

var _ Toolkit = (*FixArena)(nil)

// Look makes a step that changes nothing.
func (a *FixArena) Look(what string) error {
	if len(a.records) >= a.task.Steps || a.stop != nil && a.stop() {
		return ErrOutOfSteps
	}
	last := len(a.trees) - 1
	a.records = append(a.records, Record{Number: len(a.records) + 1, From: last, What: what})
	a.trees, a.passed, a.own = append(a.trees, a.trees[last]), append(a.passed, a.passed[last]), append(a.own, a.own[last])
	return nil
}

// Mutations lists what the bank can make at the places of the change.
func (a *FixArena) Mutations(n int) ([]mutate.Mutation, error) {
	if n < 0 || n >= len(a.trees) {
		return nil, fmt.Errorf("there is no step %d; the last is %d", n, len(a.trees)-1)
	}
	var all []mutate.Mutation
	seen := map[string]bool{}
	for _, c := range a.task.Contexts {
		first, last := c.WindowFirst, c.WindowLast
		if last == 0 {
			first, last = c.FirstLine, c.LastLine
		}
		src, err := a.trees[n].Read(c.Path)
		if err != nil {
			return nil, err
		}
		l, ok := lang.ForPath(c.Path)
		if !ok {
			continue
		}
		for _, m := range enumerated(l, c.Path, src, first, last) {
			if !seen[m.ID] {
				seen[m.ID] = true
				all = append(all, m)
			}
		}
	}
	return all, nil
}

// around names the mutations of some lines of a file.
type around struct {
	path        string
	file        tree.Digest
	first, last int
}

// known keeps mutations: every attempt at a bug asks for those of the same place.
var known = struct {
	sync.Mutex
	m map[around][]mutate.Mutation
}{m: map[around][]mutate.Mutation{}}

// knownMost is of how many places they are kept.
const knownMost = 64

// enumerated lists what the bank can make in the lines, ways back included. The
// caller must not change the list.
func enumerated(l lang.Language, path string, src []byte, first, last int) []mutate.Mutation {
	at := around{path, tree.DigestOf(src), first, last}
	known.Lock()
	ms, ok := known.m[at]
	known.Unlock()
	if ok {
		return ms
	}
	f, err := lang.Parsed(l, src)
	if err != nil || f.HasError {
		return nil // nothing can be made exactly in it
	}
	ms = mutate.EnumerateLines(l, path, f, mutate.Repairs(), first, last)
	known.Lock()
	defer known.Unlock()
	if len(known.m) >= knownMost {
		clear(known.m)
	}
	known.m[at] = ms
	return ms
}

// Mutate makes one of Mutations(from).
func (a *FixArena) Mutate(ctx context.Context, from int, id string) (Observation, error) {
	ms, err := a.Mutations(from)
	if err != nil {
		return Observation{}, err
	}
	for _, m := range ms {
		if m.ID == id {
			return a.try(ctx, from, m.Path, m.Edits, m.Operator+": "+m.Variant, true)
		}
	}
	return Observation{}, fmt.Errorf("mutation %s cannot be made after step %d", id, from)
}
