package mutate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

type found struct {
	Mutation
	rank int
	name bool   // a name in the place of a name, which always parses
	text string // the same for edits that come to the same text
}

// pass is one walk over one file.
type pass struct {
	f        *lang.File
	a        *python.Analysis
	kinds    *python.Kinds
	path     string
	found    []found
	ordinals map[string]int
	shape    map[*lang.Node]map[string]map[string]bool // by function

	asyncio map[string]bool // imported from it; nil before it is asked for
	isAsync *bool           // the file has async functions; nil before it is asked for

	op       *Operator
	inString bool // below an interpolation of an f-string
}

func (p *pass) walk(ops []Operator, skip func(*lang.Node) bool) {
	type entry struct {
		op *Operator
		at func(*pass, *lang.Node)
	}
	table := map[string][]entry{}
	repair := false
	for i := range ops {
		repair = repair || ops[i].repair
		for _, r := range ops[i].python {
			for _, k := range r.kinds {
				table[k] = append(table[k], entry{&ops[i], r.at})
			}
		}
	}
	var visit func(n *lang.Node)
	visit = func(n *lang.Node) {
		if n.Is("case_pattern", "format_specifier", "print_statement", "exec_statement") || p.a.InertNode(n) != "" || skip(n) {
			return
		}
		if n.Parent != nil && inTable(n) && !repair {
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

// longest is the length of a literal, or of the arguments of a call, beyond
// which it is a table of data: hardly any suite tests each of its rows.
const longest = 16

// inTable reports whether n is a row of a table, but for the first and last ones.
func inTable(n *lang.Node) bool {
	if !n.Named || len(n.Parent.Children) < 2*longest || !n.Parent.Is("dictionary", "list", "tuple", "set", "argument_list") {
		return false
	}
	rows := n.Parent.NamedChildren()
	return len(rows) > longest && n != rows[0] && n != rows[1] && n != rows[len(rows)-1]
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
	p.found = append(p.found, found{m, p.op.rank, false, text})
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

func (p *pass) kind(n *lang.Node) python.Kind { return p.kinds.Of(n) }

// operand is the text of n, in parentheses where it could otherwise be torn apart.
func (p *pass) operand(n *lang.Node) string {
	if n.Is("identifier", "attribute", "call", "subscript", "integer", "float", "string", "parenthesized_expression", "list", "dictionary", "set", "tuple",
		"true", "false", "none", "list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression") {
		return p.text(n)
	}
	return "(" + p.text(n) + ")"
}
