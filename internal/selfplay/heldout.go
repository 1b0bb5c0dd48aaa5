package selfplay

import (
	"sort"

	"breakfix/internal/lang"
	"breakfix/internal/mutate"
	"breakfix/internal/policy"
	"breakfix/internal/tree"
)

// heldOut is the share of a source's functions that is never broken in play:
// versions are compared on bugs in them. One in five, those whose path and name
// have the lowest digests: the same in every run, and a function that is edited
// stays on its side.
type heldOut struct {
	spans map[string][][2]int // by path: first and last lines
	texts []policy.Text       // files to learn from, with what is held out in them
}

// heldShare is one in so many functions.
const heldShare = 5

type function struct {
	path, name  string
	first, last int
	sites       int
}

// holdOut divides the functions of a board's code. Only functions with something
// to break count; of fewer than two none is held out.
func holdOut(b *Board) (*heldOut, error) {
	sites, err := b.Bank.Sites()
	if err != nil {
		return nil, err
	}
	h := &heldOut{spans: map[string][][2]int{}}
	var all []*function
	byPath := map[string][]*function{}
	for _, path := range b.Bank.Files() {
		src, err := b.Work.Snapshot.Tree.Read(path)
		if err != nil {
			return nil, err
		}
		h.texts = append(h.texts, policy.Text{Path: path, Source: src})
		byPath[path] = functions(path, src)
		all = append(all, byPath[path]...)
	}
	for _, m := range sites {
		for _, f := range byPath[m.Path] {
			if m.Line >= f.first && m.Line <= f.last {
				f.sites++
				break
			}
		}
	}
	var some []*function
	for _, f := range all {
		if f.sites > 0 {
			some = append(some, f)
		}
	}
	sort.SliceStable(some, func(i, j int) bool { return some[i].digest() < some[j].digest() })
	n := (len(some) + heldShare - 1) / heldShare
	if len(some) < 2 {
		n = 0
	}
	for _, f := range some[:n] {
		h.spans[f.path] = append(h.spans[f.path], [2]int{f.first, f.last})
	}
	for i := range h.texts {
		h.texts[i].HeldOut = h.spans[h.texts[i].Path]
	}
	return h, nil
}

func (f *function) digest() string {
	return string(tree.DigestOf([]byte("held out\x00" + f.path + "\x00" + f.name)))
}

// has reports whether a mutation is in held-out code.
func (h *heldOut) has(m mutate.Mutation) bool { return h.hasLines(m.Path, m.Line, m.LastLine) }

func (h *heldOut) hasLines(path string, first, last int) bool {
	for _, s := range h.spans[path] {
		if first <= s[1] && last >= s[0] {
			return true
		}
	}
	return false
}

// functions lists the functions and methods of a file, with their decorators'
// lines; what is defined inside of one belongs to it. Nothing where it does not parse.
func functions(path string, src []byte) []*function {
	l, ok := lang.ForPath(path)
	if !ok {
		return nil
	}
	f, err := l.Parse(src)
	if err != nil || f.HasError {
		return nil
	}
	var all []*function
	f.Root.Walk(func(n *lang.Node) bool {
		if n.Kind != "function_definition" {
			return true
		}
		at := function{path: path, first: f.Line(n.Start), last: f.LastLine(n.Start, n.End)}
		if s, ok := l.Enclosing(f, n.Start); ok {
			at.name = s.Name
		}
		at.name += "." + f.Text(n.Child("name"))
		all = append(all, &at)
		return false
	})
	return all
}

// except keeps the breaker off held-out code while anything is learned: nobody
// learns from games on it. A script names its own places, whatever they are.
func (g *Game) except(source int) func(mutate.Mutation) bool {
	if _, draws := g.Breaker.(policy.Learner); g.learning == nil || !draws {
		return nil
	}
	return g.learning.held[source].has
}
