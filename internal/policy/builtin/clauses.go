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
	inner := indent + "    "
	if strings.Contains(indent, "\t") {
		inner = indent + "\t"
	}
	for _, a := range g.facts.arms {
		fits := n.kind == "try_statement" == (a.kind == "except_clause" || a.kind == "finally_clause") || a.kind == "else_clause"
		if !fits || a.parent == n {
			continue
		}
		u := g.usable(a)
		put(reindent(a.text(g.src), indentAt(g.src, a.start), indent), 0.5*u*u*u)
	}
	if n.kind == "if_statement" {
		seen := map[string]bool{}
		for _, s := range g.facts.simple {
			text := reindent(s.text(g.src), indentAt(g.src, s.start), inner)
			u := g.usable(s)
			w := 0.2 * u * u * u
			if g.facts.function != nil && s.start >= g.facts.function.start && s.end <= g.facts.function.end {
				w *= 2
			}
			if !seen[text] {
				seen[text] = true
				put("else:\n"+inner+text, w)
			}
		}
		for _, v := range g.values() {
			put("else:\n"+inner+"return "+v.text, 0.4*v.weight)
		}
	}
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
