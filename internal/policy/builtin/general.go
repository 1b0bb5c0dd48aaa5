package builtin

import (
	"slices"
	"strings"

	"breakfix/internal/tree"
)

// Limits of the moves that put anything anywhere.
const (
	poolMost  = 60 // expressions of the function
	poolNodes = 10 // of one of them
	atomsMost = 14
)

// general offers what no single rule names: any short expression of the
// function in the place of any other, a term put behind any value, a second
// condition made from the first ones.
func (g *generator) general() {
	f := g.facts.function
	if f == nil && g.windowed() { // beside functions a window tells the place
		f = g.root
	}
	if f == nil {
		return
	}
	lo, hi := max(f.start, 0), f.end
	atoms, patterns := g.atoms(), g.patterns()
	fillers, tails := g.facts.fillers, g.tails()
	var near []string
	var of *node // the statement that near is of
	f.walk(func(n *node) bool {
		if n.start < lo || n.end > hi || !g.reaches(n) {
			return n == f
		}
		if n.row > g.span.winLast || n.last < g.span.winFirst {
			return true
		}
		if readable(n) && n.last == n.row && n.end-n.start < 60 {
			g.anyValue(n, g.facts.pool)
			g.anyThing(n, patterns)
			g.anyTerm(n, atoms)
			if s := n.statement(); of == nil || s != of {
				near, of = append([]string{"0", "1"}, g.near(n, nearMost)...), s
			}
			g.anyCall(n, near)
			g.anyPattern(n, patterns)
			if g.core(n.row, n.last) {
				g.filled(n, fillers, tails)
				g.signed(n)
			}
		}
		g.joined(n)
		switch n.kind {
		case "not_operator":
			if g.core(n.row, n.last) {
				g.emit(kindNone, n, n.replace(n.child("argument").text(g.src)+" is None"), "test for None", 0.01)
			}
		case "none", "true", "false", "dictionary":
			g.constantly(n, fillers, tails)
			g.paired(n)
		case "string":
			g.letters(n)
			g.spelled(n)
		case "attribute":
			if g.core(n.row, n.last) {
				g.received(n, tails)
				g.namesake(n)
			}
		case "list", "tuple", "set", "expression_list":
			if n.kind == "list" {
				g.constantly(n, fillers, tails)
			}
			if n.row < n.last && n.field == "right" && g.overlaps(n) {
				g.converted(n)
			}
			if ps := n.parts(); len(ps) > 0 && g.overlaps(n) { // the same once more
				g.element(n, ps, last(n).text(g.src), 0.01)
				more := fillers
				if ps[0].kind == "string" {
					more = g.strings()
				}
				for _, f := range slices.Concat(more, builtinTypes) {
					g.element(n, ps, f, rare)
				}
			}
		case "subscript":
			g.indices(n)
		case "call":
			if n.row < n.last && (n.field == "right" || n.parent.kind == "return_statement") && g.overlaps(n) {
				g.converted(n)
				g.extended(n)
			}
			if callee, args := n.child("function"), n.child("arguments"); callee != nil && args != nil && args.kind == "argument_list" {
				g.choosing(n, callee, args)
				g.splatted(n, args)
			}
		case "integer":
			if v, err := parseInt(n.text(g.src)); err == nil {
				g.scaled(n, v)
			}
		case "list_comprehension", "generator_expression", "set_comprehension", "dictionary_comprehension":
			g.filter(n)
			g.extended(n)
		case "parenthesized_expression":
			if n.parent.kind == "boolean_operator" {
				g.anyCondition(bare(n))
			}
		case "if_statement", "elif_clause", "while_statement":
			if c := n.child("condition"); c != nil {
				g.anyCondition(c)
				if inner := bare(c); inner != c {
					g.anyCondition(inner)
				}
			}
		case "return_statement":
			if ps := n.parts(); len(ps) == 1 && (ps[0].kind == "comparison_operator" || ps[0].kind == "boolean_operator") {
				g.anyCondition(ps[0])
			}
		}
		return n.kind != "string"
	})
	if f == g.facts.function {
		g.opposite(f)
	}
}

// readable reports whether n is a value that is read, and whose place can hold
// any other.
func readable(n *node) bool {
	switch n.kind {
	case "identifier", "attribute", "call", "subscript", "integer", "float", "string", "binary_operator", "unary_operator", "list", "tuple", "parenthesized_expression":
	default:
		return false
	}
	switch p := n.parent; p.kind {
	case "attribute":
		return n.field == "object" && n.kind != "identifier"
	case "keyword_argument", "default_parameter":
		return n.field == "value"
	case "assignment", "augmented_assignment", "for_statement", "for_in_clause":
		return n.field == "right"
	case "call":
		return false
	case "expression_statement": // a value that nothing is done with
		return n.kind == "identifier" || n.kind == "attribute" || n.kind == "subscript"
	case "argument_list", "binary_operator", "unary_operator", "comparison_operator", "boolean_operator", "not_operator", "return_statement", "subscript", "slice",
		"conditional_expression", "list", "tuple", "set", "pair", "expression_list", "parenthesized_expression", "list_comprehension", "generator_expression", "set_comprehension",
		"if_statement", "elif_clause", "while_statement", "yield", "list_splat":
		return true
	case "lambda":
		return n.field == "body"
	}
	return false
}

// pool lists the short expressions of a function, each once, in source order,
// then lengths of its names.
func (g *generator) pool(f *node) []string {
	seen := map[string]bool{}
	var out []string
	f.walk(func(n *node) bool {
		if readable(n) && n.kind != "string" && n.last == n.row && len(out) < poolMost && size(n) <= poolNodes {
			add(&out, seen, n.text(g.src))
		}
		return n.kind != "string"
	})
	for _, name := range g.names1() {
		add(&out, seen, "len("+name+")")
	}
	return out
}

func size(n *node) int {
	c := 1
	for _, k := range n.kids {
		c += size(k)
	}
	return c
}

// findNames1 lists the function's own variables, those that are called left out.
func (g *generator) findNames1() []string {
	var out []string
	for _, name := range g.facts.scope {
		if g.facts.inScope[name] > 0 && !builtins[name] && len(g.facts.calls[name]) == 0 && !pythonKeywords[name] && len(out) < atomsMost-2 {
			out = append(out, name)
		}
	}
	return out
}

func (g *generator) anyValue(n *node, pool []string) {
	text := n.text(g.src)
	for _, e := range pool {
		if e != text && !strings.Contains(e, text+".") {
			if n.parent.kind == "binary_operator" && strings.ContainsAny(e, "+-") && strings.Contains(e, " ") {
				e = "(" + e + ")"
			}
			g.emit(kindValue, n, n.replace(e), clip(text)+" → "+clip(e), 0.02)
		}
	}
}

// anyCondition offers a second condition: a call of one argument that the file
// knows, a comparison of the function with one name exchanged, a bare test.
func (g *generator) anyCondition(c *node) {
	text := c.text(g.src)
	if c.last > c.row || len(text) > 100 {
		return
	}
	seen := map[string]bool{text: true}
	var more []string
	for _, f := range append(g.functions(), g.facts.wrapperNames()...) {
		if len(more) > 24 {
			break
		}
		if strings.Contains(f, ".") || builtins[f] && f != "any" && f != "all" && f != "callable" {
			continue
		}
		for _, name := range g.names1() {
			add(&more, seen, f+"("+name+")")
		}
	}
	compared := 0
	for _, other := range g.facts.conditions {
		if g.facts.function != nil && !g.facts.own(other) || other.kind != "comparison_operator" || other.last > other.row {
			continue
		}
		if compared++; compared > 6 {
			break
		}
		add(&more, seen, other.text(g.src))
		add(&more, seen, "not "+other.text(g.src))
		for _, text := range g.varied(other) {
			add(&more, seen, text)
		}
	}
	for _, name := range g.names1() {
		add(&more, seen, name)
		add(&more, seen, "not "+name)
	}
	for _, text := range append(g.known(), g.relations(c)...) {
		add(&more, seen, text)
	}
	for _, m := range more {
		for _, op := range []string{" and ", " or "} {
			left := text
			if c.kind == "boolean_operator" && op == " and " && strings.Contains(text, " or ") {
				left = "(" + text + ")"
			}
			g.emit(kindAddCond, c, c.replace(left+op+m), "…"+op+clip(m), 0.02)
		}
	}
}

// functions lists the functions of one parameter that are defined beside or in
// the function.
func (g *generator) functions() []string {
	var out []string
	g.root.walk(func(n *node) bool {
		if n.kind == "function_definition" && n != g.facts.function {
			if ps := n.child("parameters"); ps != nil && len(ps.parts()) == 1 && n.up("class_definition") == nil {
				out = append(out, functionName(g.src, n))
			}
		}
		return true
	})
	return out
}

// letters offers the single characters of the red test in the place of one.
func (g *generator) letters(n *node) {
	text := n.text(g.src)
	if len(text) != 3 {
		return
	}
	seen := map[string]bool{text: true}
	var out []string
	for _, s := range g.hints.strings {
		for _, r := range strings.Trim(s, `"'`) {
			if r < 128 && r != '\\' && r != '\'' && r != '"' && len(out) < 24 {
				add(&out, seen, text[:1]+string(r)+text[2:])
			}
		}
	}
	for _, s := range out {
		g.emit(kindString, n, n.replace(s), text+" → "+s, 0.05)
	}
}

// varied returns a comparison with two of its names exchanged, or one replaced.
func (g *generator) varied(c *node) []string {
	var ids []*node
	c.walk(func(n *node) bool {
		if n.kind == "identifier" && !builtins[n.text(g.src)] && len(g.facts.calls[n.text(g.src)]) == 0 && !(n.parent.kind == "attribute" && n.field == "attribute") {
			ids = append(ids, n)
		}
		return true
	})
	var out []string
	put := func(edits ...tree.Edit) {
		for i := range edits {
			edits[i].Start, edits[i].End = edits[i].Start-c.start, edits[i].End-c.start
		}
		if text, err := tree.ApplyEdits([]byte(c.text(g.src)), edits); err == nil {
			out = append(out, string(text))
		}
	}
	for i, a := range ids {
		for _, b := range ids[i+1:] {
			if x, y := a.text(g.src), b.text(g.src); x != y {
				put(tree.Edit{Start: a.start, End: a.end, New: y}, tree.Edit{Start: b.start, End: b.end, New: x})
			}
		}
		for _, name := range g.names1() {
			if name != a.text(g.src) && len(out) < 40 {
				put(tree.Edit{Start: a.start, End: a.end, New: name})
			}
		}
	}
	return out
}

// opposite offers to exchange True and False in all that the function returns.
func (g *generator) opposite(f *node) {
	var edits []tree.Edit
	first := f
	f.walk(func(n *node) bool {
		if n.parent != nil && n.parent.kind == "return_statement" && (n.kind == "true" || n.kind == "false") {
			to := "True"
			if n.kind == "true" {
				to = "False"
			}
			if len(edits) == 0 {
				first = n
			}
			edits = append(edits, n.replace(to)...)
		}
		return true
	})
	if len(edits) > 1 {
		g.offer(kindBranches, f.start, f.end, g.span.line(first.row, first.row), edits, "exchange True and False", 1)
	}
}
