package arena

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"breakfix/internal/mutate"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// BreakOptions are those of one break.
type BreakOptions struct {
	Seed  uint64
	Made  map[string]bool  // ids of mutations made before in this run
	Tried map[string]int   // breaks so far in this run, by operator
	Known map[string]Yield // what came of those of earlier rounds, by operator
	// Except leaves sites out, whoever plays; nil leaves none out.
	Except func(mutate.Mutation) bool
	Steps  int // of a player that writes its edits itself; 0 means DefaultSteps
	// Runner runs tests for such a player; Past gives it a past fix, undone in
	// today's code, with its commit. Without them it has no such thing.
	Runner testrun.Runner
	Past   func(ctx context.Context) (diff []byte, origin string, ok bool, err error)
}

// Yield is what came of the breaks with one operator.
type Yield struct {
	Made  int `json:"made"`
	Valid int `json:"valid"`
}

// BreakArena is the breaker's side of one break. It is used by one player at
// a time.
type BreakArena struct {
	task   Task
	bank   *Bank
	all    []mutate.Mutation // the bank's own list, and the places in it
	sites  []int32           // of what may be made: a batch to learn from holds an arena of each break
	tried  map[string]int
	known  map[string]Yield
	chosen []mutate.Mutation
	draft  draft
}

var _ Break = (*BreakArena)(nil)

// ErrNoSite says that there is nothing left to break.
var ErrNoSite = errors.New("every mutation of the selected code that a test runs was made before in this run")

// NewBreak opens a break of the bank's snapshot.
func NewBreak(b *Bank, o BreakOptions) (*BreakArena, error) {
	all, err := b.Sites()
	if err != nil {
		return nil, err
	}
	a := &BreakArena{task: Task{Role: Breaker, Seed: o.Seed, Steps: 1}, bank: b, all: all, tried: maps.Clone(o.Tried), known: maps.Clone(o.Known),
		draft: newDraft(b.base, o)}
	for i, m := range all {
		if !o.Made[m.ID] && (o.Except == nil || !o.Except(m)) {
			a.sites = append(a.sites, int32(i))
		}
	}
	if len(a.sites) == 0 {
		return nil, ErrNoSite
	}
	return a, nil
}

// Task tells the player what it has to do.
func (a *BreakArena) Task() Task { return a.task }

// Sites lists the mutations that may be made, by path and place.
func (a *BreakArena) Sites() []mutate.Mutation {
	out := make([]mutate.Mutation, 0, len(a.sites))
	for _, i := range a.sites {
		out = append(out, a.all[i])
	}
	return out
}

// Tried tells how many breaks of this run used an operator so far.
func (a *BreakArena) Tried() map[string]int { return maps.Clone(a.tried) }

// Known tells what came of the breaks of earlier rounds, by operator.
func (a *BreakArena) Known() map[string]Yield { return maps.Clone(a.known) }

// Tests tells how many tests of the baseline run the lines of a site.
func (a *BreakArena) Tests(m mutate.Mutation) int { return a.bank.tests(m.Path, m.Line, m.LastLine) }

// Read returns a code file of the base.
func (a *BreakArena) Read(path string) ([]byte, error) {
	if !isCode(path) {
		return nil, fmt.Errorf("%s is not there to be read: only code is: %w", path, fs.ErrNotExist)
	}
	src, err := a.bank.base.Read(path)
	return append([]byte(nil), src...), err
}

// Choose hands in the break: mutations of Sites whose edits do not overlap.
func (a *BreakArena) Choose(ms ...mutate.Mutation) error {
	if len(ms) == 0 {
		return errors.New("a break needs one mutation at least")
	}
	chosen := make([]mutate.Mutation, 0, len(ms))
	for _, m := range ms {
		at := slices.IndexFunc(a.sites, func(i int32) bool { return a.all[i].ID == m.ID })
		if at < 0 {
			return fmt.Errorf("mutation %s of %s is not among the sites", m.ID, m.Path)
		}
		chosen = append(chosen, a.all[a.sites[at]])
	}
	a.chosen, a.draft.handed = chosen, nil
	return nil
}

// Result returns the broken tree and what was chosen; nil when the player
// chose nothing. What a player wrote itself is Written.
func (a *BreakArena) Result() (*tree.Tree, []mutate.Mutation, error) {
	if len(a.chosen) == 0 {
		return nil, nil, nil
	}
	broken, err := mutate.Apply(a.bank.base, a.chosen...)
	if err != nil {
		return nil, nil, fmt.Errorf("make the chosen mutations: %w", err)
	}
	return broken, a.chosen, nil
}
