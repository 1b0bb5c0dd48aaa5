// Package mutate is the operator bank: the ways to break code, as byte-exact
// edits. Enumerating the sites of a file is pure, ordered and the same on
// every run; it does no I/O and knows no randomness. Most operators are their
// own inverse, or have one in the bank, so that enumerating a broken file also
// offers repairs.
package mutate

import (
	"fmt"
	"sort"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/spelling"
	"breakfix/internal/tree"
)

// Operator is one way to break code.
type Operator struct {
	Name   string
	Doc    string // one line
	Source string // where it is described: letters of the catalogue
	Group  string
	Number int    // of the catalogue; unique
	Needs  string // what a site must be, so that the change can show: one line
	Core   bool   // one of the 42 that every language has where it can

	python []rule
	undo   []rule // only the way back of others: too seldom noticed to break with
	rank   int    // in the bank
	repair bool   // enumerated to repair
}

func init() {
	for i := range bank {
		bank[i].rank = i
	}
}

// rule looks at every node of one of its kinds.
type rule struct {
	kinds []string
	at    func(*pass, *lang.Node)
}

func on(at func(*pass, *lang.Node), kinds ...string) rule { return rule{kinds, at} }

// Languages returns the names of the languages that the operator exists for, sorted.
func (o Operator) Languages() []string {
	if len(o.python) > 0 {
		return []string{"python"}
	}
	return nil
}

// Operators returns the bank: the core in the order of the catalogue, then the
// further ones.
func Operators() []Operator { return append([]Operator(nil), bank...) }

// Repairs returns the bank with what is only good for repairing: the way back
// from mutations whose own way back hardly any test would notice.
func Repairs() []Operator {
	ops := Operators()
	for i, o := range ops {
		ops[i].python = append(append([]rule(nil), o.python...), o.undo...)
		ops[i].repair = true
	}
	return ops
}

// Sites counts the places of mutations, by operator: those of one operator
// that begin at the same byte of a file are variants of one.
func Sites(ms []Mutation) map[string]int {
	type place struct {
		operator, path string
		start          int
	}
	seen := map[place]bool{}
	count := map[string]int{}
	for _, m := range ms {
		if k := (place{m.Operator, m.Path, m.Edits[0].Start}); !seen[k] {
			seen[k] = true
			count[m.Operator]++
		}
	}
	return count
}

// Lookup returns the operator of that name. The error for an unknown one names
// the nearest.
func Lookup(name string) (Operator, error) {
	var names []string
	for _, o := range bank {
		if o.Name == name {
			return o, nil
		}
		names = append(names, o.Name)
	}
	return Operator{}, fmt.Errorf("operator %q does not exist; did you mean %q?", name, spelling.Nearest(name, names))
}

// Enumerate returns every mutation that the operators offer for a file, by
// offset, then operator in the order of the bank, then variant. Two operators
// that come to the same text offer it once, under the one that comes first. What does not parse
// afterwards is not offered; a file with a syntax error has no sites.
func Enumerate(l lang.Language, path string, f *lang.File, ops []Operator) []Mutation {
	return EnumerateWhere(l, path, f, ops, func(int, int) bool { return true })
}

// EnumerateLines is Enumerate for the mutations that touch the 1-based lines
// first to last.
func EnumerateLines(l lang.Language, path string, f *lang.File, ops []Operator, first, last int) []Mutation {
	// What is in a function's body changes nothing beyond the function, and the line after it.
	beyond := func(n *lang.Node) bool {
		return n.Is("block") && n.Parent.Is("function_definition") && (f.LastLine(n.Start, n.End)+1 < first || f.Line(n.Parent.Start) > last)
	}
	return enumerate(l, path, f, ops, func(from, to int) bool { return to >= first && from <= last }, beyond)
}

// EnumerateWhere is Enumerate for the mutations whose first and last line keep
// accepts. Checking that what is left parses is most of the cost, so that it
// grows with what is kept.
func EnumerateWhere(l lang.Language, path string, f *lang.File, ops []Operator, keep func(first, last int) bool) []Mutation {
	return enumerate(l, path, f, ops, keep, func(*lang.Node) bool { return false })
}

// enumerate is EnumerateWhere that does not look into the nodes that skip names.
func enumerate(l lang.Language, path string, f *lang.File, ops []Operator, keep func(first, last int) bool, skip func(*lang.Node) bool) []Mutation {
	if f.HasError || l.Name() != python.Python.Name() {
		return nil
	}
	checker, err := l.Checker(f)
	if err != nil {
		return nil // too large or too slow, which Parse has said already
	}
	defer checker.Close()
	p := &pass{f: f, a: python.Analyse(f), kinds: python.NewKinds(python.Analyse(f)), path: path, ordinals: map[string]int{}, shape: map[*lang.Node]map[string]map[string]bool{}}
	p.walk(ops, skip)
	sort.SliceStable(p.found, func(i, j int) bool {
		a, b := p.found[i], p.found[j]
		if a.Edits[0].Start != b.Edits[0].Start {
			return a.Edits[0].Start < b.Edits[0].Start
		}
		return a.rank < b.rank
	})
	// The first wins also where its edit starts elsewhere.
	owner := map[string]int{}
	for _, m := range p.found {
		if n, ok := owner[m.text]; !ok || m.rank < n {
			owner[m.text] = m.rank
		}
	}
	var out []Mutation
	for _, m := range p.found {
		if owner[m.text] != m.rank {
			continue
		}
		owner[m.text] = -1 // once
		if keep(m.Line, m.LastLine) && (m.name || checker.Parses(m.Edits)) {
			out = append(out, m.Mutation)
		}
	}
	return out
}

// Apply returns t with the mutations made. Those of one file must not overlap.
func Apply(t *tree.Tree, ms ...Mutation) (*tree.Tree, error) {
	edits := map[string][]tree.Edit{}
	for _, m := range ms {
		edits[m.Path] = append(edits[m.Path], m.Edits...)
	}
	files := map[string]*tree.File{}
	for p, es := range edits {
		src, err := t.Read(p)
		if err != nil {
			return nil, fmt.Errorf("apply mutation: %w", err)
		}
		b, err := tree.ApplyEdits(src, es)
		if err != nil {
			return nil, fmt.Errorf("apply mutation to %s: %w", p, err)
		}
		files[p] = &tree.File{Kind: t.Kind(p), Data: b}
	}
	return t.With(files)
}

// ApplyTo returns the source of one file with the mutation made.
func ApplyTo(src []byte, m Mutation) ([]byte, error) { return tree.ApplyEdits(src, m.Edits) }
