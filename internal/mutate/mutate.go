// Package mutate is the operator bank: the ways to break code, as byte-exact
// edits. Enumerating the sites of a file is pure, ordered and the same on
// every run; it does no I/O and knows no randomness. Most operators are their
// own inverse, or have one in the bank, so that enumerating a broken file also
// offers repairs.
package mutate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"

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
	Number int  // of the catalogue; unique
	Core   bool // one of the 42 that every language has where it can

	python []rule
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

// Operators returns the bank in the order of the catalogue.
func Operators() []Operator { return append([]Operator(nil), bank...) }

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
// offset, then number of the operator, then variant. Two operators that come
// to the same text offer it once, under the lower number. What does not parse
// afterwards is not offered; a file with a syntax error has no sites.
func Enumerate(l lang.Language, path string, f *lang.File, ops []Operator) []Mutation {
	return EnumerateWhere(l, path, f, ops, func(int, int) bool { return true })
}

// EnumerateLines is Enumerate for the mutations that touch the 1-based lines
// first to last.
func EnumerateLines(l lang.Language, path string, f *lang.File, ops []Operator, first, last int) []Mutation {
	return EnumerateWhere(l, path, f, ops, func(from, to int) bool { return to >= first && from <= last })
}

// EnumerateWhere is Enumerate for the mutations whose first and last line keep
// accepts. Checking that what is left parses is most of the cost, so that it
// grows with what is kept.
func EnumerateWhere(l lang.Language, path string, f *lang.File, ops []Operator, keep func(first, last int) bool) []Mutation {
	if f.HasError || l.Name() != python.Python.Name() {
		return nil
	}
	checker, err := l.Checker(f)
	if err != nil {
		return nil // too large or too slow, which Parse has said already
	}
	defer checker.Close()
	p := &pass{f: f, a: python.Analyse(f), path: path, ordinals: map[string]int{}, shape: map[*lang.Node]map[string]map[string]bool{}}
	p.walk(ops)
	sort.SliceStable(p.found, func(i, j int) bool {
		a, b := p.found[i], p.found[j]
		if a.Edits[0].Start != b.Edits[0].Start {
			return a.Edits[0].Start < b.Edits[0].Start
		}
		return a.number < b.number
	})
	// The lower number wins also where its edit starts elsewhere.
	owner := map[string]int{}
	for _, m := range p.found {
		if n, ok := owner[m.text]; !ok || m.number < n {
			owner[m.text] = m.number
		}
	}
	var out []Mutation
	for _, m := range p.found {
		if owner[m.text] != m.number {
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

type found struct {
	Mutation
	number int
	name   bool   // a name in the place of a name, which always parses
	text   string // the same for edits that come to the same text
}

// pass is one walk over one file.
type pass struct {
	f        *lang.File
	a        *python.Analysis
	path     string
	found    []found
	ordinals map[string]int
	shape    map[*lang.Node]map[string]map[string]bool // by function

	op       *Operator
	inString bool // below an interpolation of an f-string
}

func (p *pass) walk(ops []Operator) {
	type entry struct {
		op *Operator
		at func(*pass, *lang.Node)
	}
	table := map[string][]entry{}
	for i := range ops {
		for _, r := range ops[i].python {
			for _, k := range r.kinds {
				table[k] = append(table[k], entry{&ops[i], r.at})
			}
		}
	}
	var visit func(n *lang.Node)
	visit = func(n *lang.Node) {
		if n.Is("case_pattern", "format_specifier", "print_statement", "exec_statement") || p.a.InertNode(n) != "" {
			return
		}
		was := p.inString
		p.inString = was || n.Is("interpolation")
		for _, e := range table[n.Kind] {
			if n.Named {
				p.op = e.op
				e.at(p, n)
			}
		}
		for _, c := range n.Children {
			visit(c)
		}
		p.inString = was
	}
	visit(p.f.Root)
}

// offer records the edits at site as a mutation, unless they change nothing.
func (p *pass) offer(site *lang.Node, variant string, edits ...tree.Edit) {
	sort.SliceStable(edits, func(i, j int) bool { return edits[i].Start < edits[j].Start })
	text := ""
	for _, e := range edits {
		if p.inString && strings.ContainsAny(e.New, "\"'\\{}:!\n") {
			return // before Python 3.12 not allowed inside an f-string
		}
		old := string(p.f.Source[e.Start:e.End])
		if old == e.New {
			return
		}
		text += trimmed(p.f.Source, e, old)
	}
	scope := p.a.ScopeAt(edits[0].Start)
	if scope.Start == edits[0].Start && scope.Parent != nil && p.f.LineStart(p.f.Line(scope.Start)) == edits[0].Start {
		scope = scope.Parent // the scope itself goes
	}
	last := edits[len(edits)-1]
	m := Mutation{
		Operator: p.op.Name, Variant: oneLine(variant), Path: p.path, Function: scope.Name,
		Line: p.f.Line(edits[0].Start), LastLine: p.f.LastLine(last.Start, last.End), Edits: edits,
	}
	key := strings.Join([]string{m.Operator, m.Path, m.Function, p.f.Text(site), m.Variant}, "\x00")
	sum := sha256.Sum256([]byte(fmt.Sprintf("%s\x00%d", key, p.ordinals[key])))
	p.ordinals[key]++
	m.ID = hex.EncodeToString(sum[:6])
	p.found = append(p.found, found{m, p.op.Number, false, text})
}

// oneLine is text for a person: on one line, and not a page of it.
func oneLine(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > 100 {
		return string(r[:99]) + "…"
	}
	return string(r)
}

// trimmed is an edit without what it leaves as it was at its ends.
func trimmed(src []byte, e tree.Edit, old string) string {
	n := e.New
	start := e.Start
	for len(old) > 0 && len(n) > 0 && old[0] == n[0] {
		old, n = old[1:], n[1:]
		start++
	}
	for len(old) > 0 && len(n) > 0 && old[len(old)-1] == n[len(n)-1] {
		old, n = old[:len(old)-1], n[:len(n)-1]
	}
	// A deletion or insertion beside the same text may lie anywhere in it: the
	// leftmost place stands for all. "None, None" loses either None.
	run := old + n
	for (old == "" || n == "") && run != "" && start > 0 && src[start-1] == run[len(run)-1] {
		run = run[len(run)-1:] + run[:len(run)-1]
		start--
	}
	if old == "" {
		n = run
	} else if n == "" {
		old = run
	}
	return fmt.Sprintf("%d:%d:%q;", start, len(old), n)
}

// replace offers new in the place of n.
func (p *pass) replace(n *lang.Node, variant, new string) {
	p.offer(n, variant, tree.Edit{Start: n.Start, End: n.End, New: new})
}

// rename offers another name, one that the file has, in the place of a name.
func (p *pass) rename(n *lang.Node, variant, to string) {
	before := len(p.found)
	p.replace(n, variant, to)
	if len(p.found) > before {
		p.found[before].name = isName(to)
	}
}

// swap offers a and b in each other's place.
func (p *pass) swap(site *lang.Node, variant string, a, b *lang.Node) {
	if p.text(a) == p.text(b) {
		return
	}
	p.offer(site, variant, tree.Edit{Start: a.Start, End: a.End, New: p.text(b)}, tree.Edit{Start: b.Start, End: b.End, New: p.text(a)})
}

// remove offers the statement n deleted.
func (p *pass) remove(n *lang.Node, variant string) {
	if e, ok := python.Removal(p.f, python.NewStatement(p.f, n)); ok {
		p.offer(n, variant, e)
	}
}

func (p *pass) text(n *lang.Node) string { return p.f.Text(n) }

// operand is the text of n, in parentheses where it could otherwise be torn apart.
func (p *pass) operand(n *lang.Node) string {
	if n.Is("identifier", "attribute", "call", "subscript", "integer", "float", "string", "parenthesized_expression", "list", "dictionary", "set", "tuple",
		"true", "false", "none", "list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression") {
		return p.text(n)
	}
	return "(" + p.text(n) + ")"
}
