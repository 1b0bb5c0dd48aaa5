package testrun

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// drawMoves draws n changes that no operator makes but a repair may: a statement
// of a function that a test runs is replaced or followed by another one, in its
// own block or in any around it.
func drawMoves(t *testing.T, w *Workspace, n int, seed uint64) []Mutant {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0x6d6f7665))
	type place struct {
		path string
		f    *lang.File
		s    *lang.Node
	}
	var places []place
	simple := map[string][]string{} // texts of one line, by file
	for _, p := range codeFiles(w.Snapshot.Tree) {
		src, err := w.Snapshot.Tree.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		f, err := python.Python.Parse(src)
		if err != nil || f.HasError {
			continue
		}
		f.Root.Walk(func(s *lang.Node) bool {
			if !python.IsStatement(s) || python.Analyse(f).FunctionAt(s.Start) == nil || s.Is("function_definition", "class_definition", "decorated_definition") {
				return true
			}
			if text := f.Text(s); !strings.Contains(text, "\n") {
				simple[p] = append(simple[p], text)
			}
			if w.ran(p, f.Line(s.Start), f.LastLine(s.Start, s.End)) {
				places = append(places, place{p, f, s})
			}
			return true
		})
	}
	var out []Mutant
	for try := 0; try < 50*n && len(out) < n && len(places) > 0; try++ {
		at := places[rng.IntN(len(places))]
		text := "return None"
		if others := simple[at.path]; len(others) > 0 && rng.IntN(2) == 0 {
			text = others[rng.IntN(len(others))]
		}
		blocks := []*lang.Node{at.s}
		for b := at.s.Parent; b != nil && !b.Is("function_definition"); b = b.Parent {
			if python.IsStatement(b) {
				blocks = append(blocks, b)
			}
		}
		depth := blocks[rng.IntN(len(blocks))]
		first := at.f.LineStart(at.f.Line(depth.Start))
		line := string(at.f.Source[first:depth.Start]) + text + "\n"
		if strings.TrimSpace(string(at.f.Source[first:depth.Start])) != "" {
			continue // it shares its line
		}
		start, end := at.f.Span(at.f.Line(at.s.Start), at.f.LastLine(at.s.Start, at.s.End))
		what := "replaced by"
		if rng.IntN(2) == 0 {
			start, what = end, "followed by"
		}
		e := tree.Edit{Start: start, End: end, New: line}
		src, err := tree.ApplyEdits(at.f.Source, []tree.Edit{e})
		if err != nil {
			continue
		}
		if g, err := python.Python.Parse(src); err != nil || g.HasError {
			continue
		}
		now, err := w.Snapshot.Tree.With(map[string]*tree.File{at.path: {Kind: w.Snapshot.Tree.Kind(at.path), Data: src}})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Mutant{mutate.Mutation{Operator: "move", Path: at.path, Line: at.f.Line(at.s.Start), Variant: fmt.Sprintf("%s %q", what, line)}, now})
	}
	return out
}
