package testrun

import (
	"fmt"
	"math/rand/v2"

	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// Mutant is the snapshot with one mutation made.
type Mutant struct {
	mutate.Mutation
	Tree *tree.Tree
}

// Draw draws n mutations of the snapshot's code whose lines a test runs, or
// loading the suite does, at random by the seed; fewer when there are not as many. selected says which
// files may be taken, nil all. It is what the tiers are compared on.
func (w *Workspace) Draw(n int, seed uint64, selected func(path string) bool) ([]Mutant, error) {
	rng := rand.New(rand.NewPCG(seed, 0x6272656b))
	var files []string
	lines := 0
	for _, p := range codeFiles(w.Snapshot.Tree) {
		if f := w.Base.Cover.Files[p]; f != nil && len(f.Lines)+len(f.Imported) > 0 && (selected == nil || selected(p)) {
			files = append(files, p)
			lines += len(f.Lines) + len(f.Imported)
		}
	}
	// About six mutations stand on a covered line; that each parses is most of
	// the cost, so only about four times as many as are wanted are looked at.
	share := 4 * float64(n) / (6 * float64(max(lines, 1)))
	var found []mutate.Mutation
	for _, p := range files {
		src, err := w.Snapshot.Tree.Read(p)
		if err != nil {
			return nil, err
		}
		f, err := python.Python.Parse(src)
		if err != nil || f.HasError {
			continue
		}
		found = append(found, mutate.EnumerateWhere(python.Python, p, f, mutate.Operators(), func(first, last int) bool {
			return rng.Float64() < share && (w.ran(p, first, last) || w.Imported(p, first, last))
		})...)
	}
	rng.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	var out []Mutant
	for _, m := range found[:min(n, len(found))] {
		t, err := mutate.Apply(w.Snapshot.Tree, m)
		if err != nil {
			return nil, fmt.Errorf("draw mutants: %w", err)
		}
		out = append(out, Mutant{m, t})
	}
	return out, nil
}
