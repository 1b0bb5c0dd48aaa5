package builtin

import (
	"strings"

	"breakfix/internal/tree"
)

// order offers to exchange neighbouring statements.
func (g *generator) order(a, b *node) {
	if strings.TrimSpace(string(g.src[lineStart(g.src, a.start):a.start])) != "" || docstring(a) || a.kind == "import_statement" || a.kind == "import_from_statement" || a.kind == "future_import_statement" {
		return
	}
	if g.idle(a, b) {
		return
	}
	place := max(g.span.line(a.row, a.last), g.span.line(b.row, b.last))
	if g.span.line(a.row, a.last) < -2 || g.span.line(b.row, b.last) < -2 {
		place -= 1.5 // an exchange leaves both its statements among the changed lines
	}
	if a.last-a.row > 12 || b.last-b.row > 12 {
		place--
	}
	g.offer(kindOrder, a.start, b.end, place, []tree.Edit{{Start: a.start, End: a.end, New: b.text(g.src)}, {Start: b.start, End: b.end, New: a.text(g.src)}},
		"exchange "+clip(a.text(g.src))+" and "+clip(b.text(g.src)), 1)
}

// rotate offers to move a statement over two neighbours.
func (g *generator) rotate(a, b, c *node) {
	if docstring(a) || a.kind != "expression_statement" && c.kind != "expression_statement" {
		return
	}
	place := max(g.span.line(a.row, a.last), g.span.line(c.row, c.last)) - 3
	at, bt, ct := a.text(g.src), b.text(g.src), c.text(g.src)
	put := func(x, y, z string) {
		g.offer(kindOrder, a.start, c.end, place, []tree.Edit{{Start: a.start, End: a.end, New: x}, {Start: b.start, End: b.end, New: y}, {Start: c.start, End: c.end, New: z}}, "move a statement over two", 0.5)
	}
	put(bt, ct, at)
	put(ct, at, bt)
}

// idle reports whether to exchange a and b, which follows, repairs nothing: b is then reached
// without a name that only a binds, a is not reached any more, or neither can tell.
func (g *generator) idle(a, b *node) bool {
	switch b.kind {
	case "return_statement", "raise_statement", "break_statement", "continue_statement":
		return true // to take a out is a move of its own
	}
	first, second := g.bound(a), g.bound(b)
	for name := range first {
		if g.reads(b, name) && !g.boundBefore(name, a) {
			return true
		}
	}
	if !g.plain(a) || !g.plain(b) {
		return false
	}
	for name := range first {
		if g.reads(b, name) || second[name] {
			return false
		}
	}
	for name := range second {
		if g.reads(a, name) {
			return false
		}
	}
	return true
}

// reads reports whether a statement mentions a name; a definition, whether it does while it is
// carried out, which the body of a function is not.
func (g *generator) reads(s *node, name string) bool {
	if !s.defines() {
		return mentions(g.src, s, name)
	}
	found := false
	s.walk(func(n *node) bool {
		if n.field == "body" && n.parent.kind == "function_definition" {
			return false
		}
		if n.kind == "identifier" && n.text(g.src) == name && !(n.field == "name" && n.parent.defines()) {
			found = true
		}
		return !found
	})
	return found
}

// defines reports whether n defines a function or a class.
func (n *node) defines() bool {
	return n.kind == "function_definition" || n.kind == "class_definition" || n.kind == "decorated_definition"
}

// bound are the names that a statement binds, those of functions within it left out.
func (g *generator) bound(s *node) map[string]bool {
	names := map[string]bool{}
	s.walk(func(n *node) bool {
		switch n.kind {
		case "function_definition", "class_definition":
			if id := n.child("name"); id != nil {
				names[id.text(g.src)] = true
			}
			return false
		case "lambda", "list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression":
			return false
		}
		if n.kind == "identifier" && n.binds() {
			names[n.text(g.src)] = true
		}
		return true
	})
	return names
}

// binds reports whether an identifier stands where a name is bound: a target by itself or in
// a pattern.
func (n *node) binds() bool {
	at := n
	for at.parent != nil && (at.parent.kind == "pattern_list" || at.parent.kind == "tuple_pattern" || at.parent.kind == "list_pattern" || at.parent.kind == "list_splat_pattern") {
		at = at.parent
	}
	if at.parent == nil {
		return false
	}
	switch at.parent.kind {
	case "assignment", "for_statement":
		return at.field == "left"
	case "named_expression":
		return at.field == "name"
	case "as_pattern_target":
		return true
	}
	return false
}

// boundBefore reports whether a name has a value before a statement is reached, as far as
// the order of the text tells: it is a parameter, of another function, or bound above.
func (g *generator) boundBefore(name string, s *node) bool {
	in := s.up("function_definition")
	if in == nil {
		in = g.root
	} else if containsString(g.facts.params, name) {
		return true
	}
	found := false
	in.walk(func(n *node) bool {
		if n.start >= s.start || found {
			return false
		}
		if n.kind == "identifier" && n.text(g.src) == name {
			found = n.binds() || n.field == "name" && n.parent.defines() || n.up("parameters", "import_statement", "import_from_statement") != nil
		}
		found = found || n.kind == "global_statement" || n.kind == "nonlocal_statement" || n.kind == "wildcard_import"
		return !found
	})
	return found
}

// plain reports whether a statement binds names to a value that is worked out without an
// effect, and does nothing else. A definition is taken for one.
func (g *generator) plain(s *node) bool {
	if s.defines() {
		return true
	}
	ps := s.parts()
	if s.kind != "expression_statement" || len(ps) != 1 || ps[0].kind != "assignment" {
		return false
	}
	left, right := ps[0].child("left"), ps[0].child("right")
	if left == nil || right == nil || left.kind != "identifier" && left.kind != "pattern_list" || len(g.bound(s)) != max(1, len(left.parts())) {
		return false
	}
	e := &effects{src: g.src}
	if right.kind != "expression_list" {
		return e.harmless(right)
	}
	for _, k := range right.parts() {
		if !e.harmless(k) {
			return false
		}
	}
	return true
}
