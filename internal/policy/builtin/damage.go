package builtin

import (
	"math/rand/v2"
	"slices"

	"breakfix/internal/lang"
	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// Damages lists up to most different damages of a function that stands alone
// in a text, drawn with r: each is one move of the grammar, kinds alike, so
// that rare ones come up. Nothing of it is run, and some change nothing.
func Damages(path string, text []byte, most int, r *rand.Rand) [][]byte {
	g := generate(wholeView(path, text), false)
	if g == nil || g.drafts.len() == 0 {
		return nil
	}
	draw := damagesOf(g)
	var out [][]byte
	for range 4 * most {
		if len(out) == most {
			break
		}
		broken := draw(r)
		if broken != nil && !slices.ContainsFunc(out, func(o []byte) bool { return same(o, broken) }) {
			out = append(out, broken)
		}
	}
	return out
}

// damagesOf returns a function that damages what g was generated from; it
// gives nil where a draw changes nothing.
func damagesOf(g *generator) func(r *rand.Rand) []byte {
	ps := g.picks(g.drafts.len())
	byKind := map[Kind][]int{}
	var present []Kind
	for i := range ps {
		kind := g.drafts.at(ps[i].draft).kind
		if byKind[kind] == nil {
			present = append(present, kind)
		}
		byKind[kind] = append(byKind[kind], i)
	}
	return func(r *rand.Rand) []byte {
		p := &ps[pickIn(r, byKind[present[r.IntN(len(present))]], ps)]
		broken, err := tree.ApplyEdits(g.src, g.edits(p.draft))
		if err != nil || same(broken, g.src) {
			return nil
		}
		return broken
	}
}

// breaksOf returns a function that damages a text by an operator of the bank,
// operators alike; nil where none has a site.
func breaksOf(path string, text []byte) func(r *rand.Rand) []byte {
	l, ok := lang.ForPath(path)
	if !ok {
		return nil
	}
	f, err := l.Parse(text)
	if err != nil || f.HasError {
		return nil
	}
	byOperator := map[string][]mutate.Mutation{}
	var present []string
	for _, m := range mutate.Enumerate(l, path, f, mutate.Operators()) {
		if byOperator[m.Operator] == nil {
			present = append(present, m.Operator)
		}
		byOperator[m.Operator] = append(byOperator[m.Operator], m)
	}
	if len(present) == 0 {
		return nil
	}
	return func(r *rand.Rand) []byte {
		of := byOperator[present[r.IntN(len(present))]]
		broken, err := tree.ApplyEdits(text, of[r.IntN(len(of))].Edits)
		if err != nil || same(broken, text) {
			return nil
		}
		return broken
	}
}
