package builtin

import (
	"slices"
	"sort"

	"breakfix/internal/tree"
)

// Way is how the grammar of moves leads from a broken file to the right one.
type Way struct {
	Moves      int      // 1 or 2; 0: there is no way of so few moves, as far as was looked
	What       []string // the moves
	Candidates int      // first moves that there are
}

// secondMost is how many first moves are followed by a second one, by each of
// two ways to say what is left to change.
const secondMost = 40

// WayTo looks for the right text among what one move leads to, and among what
// two moves do of which the first leaves less to change. Comments, and how lines
// are broken within brackets, are no part of it.
func WayTo(v View, right []byte) Way {
	g := generate(v, true)
	if g == nil {
		return Way{}
	}
	cs := g.ranked()
	w := Way{Candidates: len(cs)}
	leads := sameProgram(v.Source, right)
	for i := range cs {
		if leads(cs[i].Edits) {
			w.Moves, w.What = 1, []string{cs[i].What()}
			return w
		}
	}
	for _, at := range nearest(v.Source, right, cs) {
		out, err := tree.ApplyEdits(v.Source, cs[at].Edits)
		if err != nil {
			continue
		}
		next := v
		next.Source = out
		if v.Context.WindowFirst > 0 {
			next = placed(next, right)
		} else {
			next.Context.LastLine += lines(out) - lines(v.Source)
			next.Suspects = suspectsOf(v.Suspects, next.Context, shifted(v.Source, out))
		}
		h := generate(next, true)
		if h == nil {
			continue
		}
		ps := h.picks(h.drafts.len())
		if back := h.back(right, ps); len(back) > 0 {
			second := h.candidate(&ps[back[0]], back[0])
			w.Moves, w.What = 2, []string{cs[at].What(), second.What()}
			return w
		}
	}
	return w
}

// nearest lists the moves that leave the least to change, counted in tokens,
// and those that do counted in bytes: secondMost of each, the former first.
func nearest(src, right []byte, cs []Candidate) []int {
	type step struct{ at, left int }
	var byTokens, byBytes []step
	tokens, bytes := apart(src, right)
	for i := range cs {
		out, err := tree.ApplyEdits(src, cs[i].Edits)
		if err != nil {
			continue
		}
		t, b := apart(out, right)
		if t < tokens {
			byTokens = append(byTokens, step{i, t})
		}
		if b < bytes {
			byBytes = append(byBytes, step{i, b})
		}
	}
	seen := map[int]bool{}
	var out []int
	for _, steps := range [][]step{byTokens, byBytes} {
		sort.SliceStable(steps, func(i, k int) bool { return steps[i].left < steps[k].left })
		for _, s := range steps[:min(len(steps), secondMost)] {
			if !seen[s.at] {
				seen[s.at] = true
				out = append(out, s.at)
			}
		}
	}
	return out
}

// Survives reports whether all names, numbers and strings that the right text
// has more of than the broken one stand in the broken one too. Keywords,
// punctuation, True, False, None and built-ins are the language's and always do.
func Survives(broken, right []byte) bool {
	there := map[string]bool{}
	count := map[string]int{}
	for _, w := range words(string(broken), nil, nil) {
		there[w.text] = true
		count[w.text]++
	}
	for _, w := range words(string(right), nil, nil) {
		switch w.class {
		case classMark, classWord, classConstant, classBuiltin:
			continue
		}
		if count[w.text]--; count[w.text] < 0 && !there[w.text] {
			return false
		}
	}
	return true
}

// RankOf is the place of the first move that makes the right text, in the order
// of weights (nil: the prior that was set by hand); 0 where none does.
func RankOf(v View, right []byte, w *Weights) int {
	cs := ordered(v, w)
	return 1 + rightOf(cs, v, right)
}

// rightOf is the first of some moves that makes the right text; -1 where none does.
func rightOf(cs []Candidate, v View, right []byte) int {
	back := sameProgram(v.Source, right)
	return slices.IndexFunc(cs, func(c Candidate) bool { return back(c.Edits) })
}
