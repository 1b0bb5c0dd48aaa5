package builtin

import (
	"strings"

	"breakfix/internal/tree"
)

// decorate offers decorators on a definition.
func (g *generator) decorate(n *node, place float64, indent string) {
	at := lineStart(g.src, n.start)
	inClass := n.up("class_definition") != nil
	seen := map[string]bool{}
	put := func(d string, w float64) {
		if !seen[d] {
			seen[d] = true
			g.offer(kindDecorator, at, at, place, []tree.Edit{{Start: at, End: at, New: indent + d + "\n"}}, clip(d), w)
		}
	}
	for i, d := range g.facts.decorators {
		put(d, 0.7/float64(1+i/5))
	}
	if outer := n.up("function_definition"); outer != nil && g.windowed() { // what stands for another
		for _, name := range g.facts.scope {
			if name == "wraps" || name == "functools" {
				for _, p := range parametersOf(g.src, outer) {
					put("@"+strings.Replace(name, "functools", "functools.wraps", 1)+"("+p+")", 0.05)
				}
			}
		}
	}
	if g.core(n.row, n.row) { // what the file imports
		for _, name := range g.facts.scope {
			if g.facts.imported[name] {
				put("@"+name, rare)
			}
		}
	}
	if inClass {
		put("@property", 1)
		put("@staticmethod", 0.6)
		put("@classmethod", 0.6)
	} else {
		put("@contextmanager", 0.2)
	}
}

// arms offers the else, elif and except arms of the file behind a statement
// that could have one.
func (g *generator) arms(n *node) {
	indent := indentAt(g.src, n.start)
	at := lineEnd(g.src, n.end)
	place := g.span.gap(n.last)
	if place < unreachable+2 {
		return
	}
	put := func(text string, w float64) {
		g.offer(kindHandler, at, at, place, []tree.Edit{{Start: at, End: at, New: "\n" + indent + text}}, clip(text), w)
	}
	handle := func(text string, w float64) { // before the handlers that there are, or behind them
		for i, k := range n.kids {
			if k.kind != "except_clause" || i == 0 {
				continue
			}
			if n.kids[i-1].kind != "except_clause" {
				to := lineStart(g.src, k.start)
				g.offer(kindHandler, at, at, place, []tree.Edit{{Start: to, End: to, New: indent + text + "\n"}}, clip(text), w)
			}
			if i+1 == len(n.kids) || n.kids[i+1].kind != "except_clause" {
				to := lineEnd(g.src, k.end)
				g.offer(kindHandler, at, at, place, []tree.Edit{{Start: to, End: to, New: "\n" + indent + text}}, clip(text), w)
			}
		}
	}
	inner := deeper(indent)
	ended := false // it has the arm that comes last
	for _, k := range n.kids {
		ended = ended || k.kind == "else_clause"
	}
	for _, a := range g.facts.arms {
		fits := n.kind == "try_statement" == (a.kind == "except_clause" || a.kind == "finally_clause") || a.kind == "else_clause"
		if !fits || a.parent == n || ended && a.kind != "finally_clause" || n.child("condition") == nil && a.kind == "elif_clause" {
			continue
		}
		u, where := g.usable(a), put
		if a.kind == "except_clause" {
			where = handle
		}
		where(reindent(a.text(g.src), indentAt(g.src, a.start), indent), 0.5*u*u*u)
	}
	if ended {
		return
	}
	seen := map[string]bool{}
	otherwise := func(text string, w float64) {
		if !seen[text] && mayStand(text, n) {
			seen[text] = true
			put("else:\n"+inner+text, w)
		}
	}
	told := g.told(place)
	if n.kind == "try_statement" {
		g.handlers(n, inner, handle)
		if end := last(n); !told || end == nil || end.kind == "finally_clause" {
			return
		}
	}
	for _, s := range g.facts.simple {
		w := 0.2
		if g.facts.own(s) {
			w *= 2
		} else if n.kind != "if_statement" {
			continue
		}
		u := g.usable(s)
		otherwise(reindent(s.text(g.src), indentAt(g.src, s.start), inner), w*u*u*u)
	}
	if told && (n.kind == "if_statement" || n.kind == "try_statement") {
		g.otherwise(inner, func(text string) { otherwise(text, rare) })
		g.made(func(_ Kind, text string, w float64) { otherwise(text, w) }, n)
	}
	if n.kind != "if_statement" {
		return
	}
	for _, v := range g.values() {
		otherwise("return "+v.text, 0.4*v.weight)
	}
	g.alike(n, otherwise)
}

// handlers offers to handle one exception more: the exceptions of the file, as
// the handlers that there are do, or in a word.
func (g *generator) handlers(n *node, inner string, put func(string, float64)) {
	bodies := []string{"pass", "raise", "continue", "break", "return", "return None", "return False"}
	for _, k := range n.kids {
		if b := last(k); k.kind == "except_clause" && b != nil && b.kind == "block" && b.last-b.row < 4 {
			bodies = append(bodies, reindent(b.text(g.src), indentAt(g.src, b.start), inner))
		}
	}
	seen := map[string]bool{}
	var types []string
	for _, e := range append(append([]string(nil), g.facts.exceptions...), "KeyError", "ValueError", "TypeError", "AttributeError", "IndexError", "Exception") {
		if len(types) < 12 {
			add(&types, seen, e)
		}
	}
	for _, e := range types {
		for _, b := range bodies {
			if mayStand(b, n) {
				put("except "+e+":\n"+inner+b, 0.02)
			}
		}
	}
}

// last is the last part of a node; nil where it has none.
func last(n *node) *node {
	if ps := n.parts(); len(ps) > 0 {
		return ps[len(ps)-1]
	}
	return nil
}

// alike offers statements like those of the arms that an if has: what they do
// with one name exchanged, and other values for what they bind.
func (g *generator) alike(n *node, put func(string, float64)) {
	for _, arm := range n.kids {
		body := arm
		if arm.kind == "elif_clause" {
			body = arm.child("consequence")
		}
		if body == nil || body.kind != "block" || len(body.parts()) != 1 || !body.parts()[0].simple() || body.row != body.last {
			continue
		}
		s := body.parts()[0]
		for _, text := range g.renamed(s) {
			put(text, 0.01)
		}
		target := targetOf(s)
		if target == nil {
			continue
		}
		for _, other := range g.facts.simple {
			if t := targetOf(other); t != nil && other.row == other.last && g.usable(t.parent.child("right")) == 1 {
				put(target.text(g.src)+string(g.src[t.end:other.end]), 0.05)
			}
		}
	}
}

// targetOf is what a statement assigns to; nil where it is no plain assignment.
func targetOf(s *node) *node {
	if ps := s.parts(); len(ps) == 1 && ps[0].kind == "assignment" && ps[0].child("type") == nil && ps[0].child("right") != nil {
		return ps[0].child("left")
	}
	return nil
}

// renamed returns a statement with one of the names that it reads exchanged.
func (g *generator) renamed(s *node) []string {
	var out []string
	s.walk(func(n *node) bool {
		if n.kind == "identifier" && !n.binds() && !(n.parent.kind == "attribute" && n.field == "attribute") && !(n.parent.kind == "keyword_argument" && n.field == "name") {
			for _, name := range g.facts.scope {
				if name != n.text(g.src) && len(out) < 400 {
					out = append(out, string(g.src[s.start:n.start])+name+string(g.src[n.end:s.end]))
				}
			}
		}
		return n.kind != "string"
	})
	return out
}

// defaulted offers a default for a parameter: those that the name has
// elsewhere in the file, and the usual ones.
func (g *generator) defaulted(p *node) {
	if p.kind != "identifier" || pythonKeywords[p.text(g.src)] {
		return
	}
	name := p.text(g.src)
	seen := map[string]bool{}
	for i, d := range append(append([]string(nil), g.facts.defaults[name]...), "None", "False", "True", "0", "1", "()", "''") {
		if !seen[d] {
			seen[d] = true
			g.emit(kindArgument, p, []tree.Edit{{Start: p.end, End: p.end, New: "=" + d}}, name+"="+clip(d), 1/float64(1+i))
		}
	}
}

// madeAnew offers to make a default in the body, each time, instead of once: as the file
// declares such a variable elsewhere, or plainly.
func (g *generator) madeAnew(f *node, ps []*node, i int) {
	name, value, body := ps[i].child("name"), ps[i].child("value"), f.child("body")
	if name == nil || value == nil || body == nil || !g.core(ps[i].row, ps[i].last) {
		return
	}
	switch value.kind {
	case "list", "dictionary", "set", "call":
	default:
		return
	}
	out := tree.Edit{Start: ps[i].start, End: ps[i].end}
	if i > 0 {
		out.Start = ps[i-1].end
	} else if len(ps) > 1 {
		out.End = ps[1].start
	}
	made, seen := []string{name.text(g.src) + " = " + value.text(g.src)}, map[string]bool{}
	g.root.walk(func(n *node) bool {
		if t, v := n.child("type"), n.child("right"); n.kind == "assignment" && t != nil && v != nil && v.text(g.src) == value.text(g.src) && len(made) < 5 {
			add(&made, seen, name.text(g.src)+": "+t.text(g.src)+" = "+value.text(g.src))
		}
		return true
	})
	for k, s := range body.parts() {
		if docstring(s) || k > 16 {
			continue
		}
		for _, text := range made {
			in := tree.Edit{Start: s.start, End: s.start, New: text + "\n" + indentAt(g.src, s.start)}
			g.offer(kindInsert, f.start, f.end, g.span.line(ps[i].row, ps[i].last), []tree.Edit{out, in}, clip(text)+" in the body", 0.2)
		}
	}
}

// parametersOf lists the names of a function's parameters.
func parametersOf(src []byte, f *node) (out []string) {
	if ps := f.child("parameters"); ps != nil {
		for _, p := range ps.parts() {
			if id := firstIdentifier(p); id != nil {
				out = append(out, id.text(src))
			}
		}
	}
	return out
}
