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

// secondMost is how many first moves are followed by a second one: those that
// leave the least to change.
const secondMost = 40

// WayTo looks for the right text among what one move leads to, and among what
// two moves do of which the first leaves less to change. White space at the
// ends of lines, and comments' lines, are what they were.
func WayTo(v View, right []byte) Way {
	g := generate(v, true)
	if g == nil {
		return Way{}
	}
	cs := g.ranked()
	w := Way{Candidates: len(cs)}
	back := wayBack(v.Source, right)
	for i := range cs {
		if back(cs[i].Edits) {
			w.Moves, w.What = 1, []string{cs[i].What}
			return w
		}
	}
	type step struct{ at, left int }
	var steps []step
	all := apart(v.Source, right)
	for i := range cs {
		out, err := tree.ApplyEdits(v.Source, cs[i].Edits)
		if err != nil {
			continue
		}
		if left := apart(out, right); left < all {
			steps = append(steps, step{i, left})
		}
	}
	sort.SliceStable(steps, func(i, k int) bool { return steps[i].left < steps[k].left })
	for _, s := range steps[:min(len(steps), secondMost)] {
		out, _ := tree.ApplyEdits(v.Source, cs[s.at].Edits)
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
		back := wayBack(out, right)
		for _, c := range h.ranked() {
			if back(c.Edits) {
				w.Moves, w.What = 2, []string{cs[s.at].What, c.What}
				return w
			}
		}
	}
	return w
}

// apart is how many bytes lie between what two texts begin and end with alike:
// of the longer one.
func apart(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	a, b = a[n:], b[n:]
	m := 0
	for m < len(a) && m < len(b) && a[len(a)-1-m] == b[len(b)-1-m] {
		m++
	}
	return len(a) + len(b) - 2*m
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
	cs, _, _ := ordered(v, w)
	return 1 + rightOf(cs, v, right)
}

// rightOf is the first of some moves that makes the right text; -1 where none does.
func rightOf(cs []Candidate, v View, right []byte) int {
	back := wayBack(v.Source, right)
	return slices.IndexFunc(cs, func(c Candidate) bool { return back(c.Edits) })
}
