package bug

import (
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
)

const maxWidth = 88 // of a line after a variable was replaced by its value

// folds returns the file with variables replaced by their values where each is used
// once, or is a short constant: all of them first, then each one alone.
func (z *minimiser) folds(v *variant) []*variant {
	var out []*variant
	if one := z.joined(v); one != nil {
		out = append(out, one)
		v = one
	}
	all := v
	for range 20 {
		one := z.foldOnce(all, 0)
		if one == nil {
			break
		}
		if all == v {
			out = append(out, one)
		}
		all = one
	}
	if all == v {
		return out
	}
	for skip := 1; skip < 6; skip++ {
		one := z.foldOnce(v, skip)
		if one == nil {
			break
		}
		out = append(out, one)
	}
	return append([]*variant{all}, out...)
}

// foldOnce replaces the variable after the first skip ones that can be.
func (z *minimiser) foldOnce(v *variant, skip int) *variant {
	m, ok := parse(v.src)
	if !ok {
		return nil
	}
	defer m.Close()
	_, fn := m.locate(v.id)
	if fn == nil {
		return nil
	}
	var found *variant
	walk(definition(fn), func(n *sitter.Node) bool {
		if found != nil || n.Kind() == "class_definition" { // its assignments make attributes
			return false
		}
		if n.Kind() == "expression_statement" && n.NamedChildCount() == 1 && n.NamedChild(0).Kind() == "assignment" {
			if cuts, ok := m.fold(fn, n); ok {
				if skip > 0 {
					skip--
				} else {
					found = z.cut(m, v, cuts)
				}
			}
			return false
		}
		return true
	})
	return found
}

// fold returns the cuts that put the value of an assignment where its variable is used.
func (m *module) fold(fn, s *sitter.Node) ([]cut, bool) {
	a := s.NamedChild(0)
	left, right := a.ChildByFieldName("left"), a.ChildByFieldName("right")
	if left == nil || right == nil || left.Kind() != "identifier" || a.ChildByFieldName("type") != nil {
		return nil, false
	}
	if !m.read(fn, left) {
		return []cut{{start: int(a.StartByte()), end: int(right.StartByte())}}, right.Kind() != "expression_list"
	}
	text := m.text(right)
	if strings.Contains(text, "\n") || right.Kind() == "expression_list" || right.Kind() == "assignment" || right.Kind() == "yield" || right.Kind() == "await" {
		return nil, false
	}
	name := m.text(left)
	var uses []*sitter.Node
	bad := false
	walk(definition(fn), func(n *sitter.Node) bool {
		switch n.Kind() {
		case "global_statement", "nonlocal_statement", "delete_statement":
			for i := uint(0); i < n.NamedChildCount(); i++ {
				bad = bad || m.text(n.NamedChild(i)) == name
			}
		case "identifier":
			if m.text(n) != name || n.StartByte() == left.StartByte() || m.notName(n) {
				break
			}
			if n.StartByte() < left.StartByte() || m.stores(n) {
				bad = true
			}
			uses = append(uses, n)
		}
		return true
	})
	if bad || len(uses) == 0 || len(uses) > 1 && !m.constant(right) {
		return nil, false
	}
	cuts := []cut{m.cutStatement(s)}
	for _, u := range uses {
		if len(uses) == 1 && !m.once(u, s) {
			return nil, false
		}
		with := text
		if !m.stands(u, right) {
			if right.Kind() == "lambda" {
				return nil, false
			}
			with = "(" + text + ")"
		}
		line := m.lineAround(int(u.StartByte()))
		if len(line)-len(name)+len(with) > maxWidth && len(with) > len(name) {
			return nil, false
		}
		cuts = append(cuts, cut{start: int(u.StartByte()), end: int(u.EndByte()), with: with})
	}
	return cuts, true
}

// read tells whether anything but its assignment mentions a variable.
func (m *module) read(fn, variable *sitter.Node) bool {
	found := false
	walk(fn, func(n *sitter.Node) bool {
		found = found || n.Kind() == "identifier" && n.StartByte() != variable.StartByte() && m.text(n) == m.text(variable) && !m.notName(n)
		return !found
	})
	return found
}

// joined returns the file with statements over several lines put on one, where they
// fit on it; nil when there are none.
func (z *minimiser) joined(v *variant) *variant {
	m, ok := parse(v.src)
	if !ok {
		return nil
	}
	defer m.Close()
	var cuts []cut
	walk(m.root, func(n *sitter.Node) bool {
		if n.Kind() != "expression_statement" && n.Kind() != "assert_statement" {
			return true
		}
		if text, ok := m.oneLine(n); ok {
			cuts = append(cuts, cut{start: int(n.StartByte()), end: int(n.EndByte()), with: text})
		}
		return false
	})
	if len(cuts) == 0 {
		return nil
	}
	src, at, ok := m.without(cuts, v.at)
	if !ok {
		return nil
	}
	was, _ := tokens(v.src)
	if is, ok := tokens(src); !ok || is != was {
		return nil
	}
	return newVariant(v.dir, commas(src), v.id, at)
}

func (m *module) oneLine(n *sitter.Node) (string, bool) {
	text := m.text(n)
	if !strings.Contains(text, "\n") || strings.Contains(text, "\\\n") || contains(n, "comment") {
		return "", false
	}
	multi := false
	walk(n, func(c *sitter.Node) bool {
		multi = multi || c.Kind() == "string" && strings.Contains(m.text(c), "\n")
		return !multi
	})
	out := ""
	for _, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		if out != "" && !strings.ContainsAny(out[len(out)-1:], "([{") && !strings.HasPrefix(l, ")") && !strings.HasPrefix(l, "]") && !strings.HasPrefix(l, "}") {
			out += " "
		}
		out += l
	}
	return out, !multi && int(n.StartPosition().Column)+len(out) <= maxWidth
}

// constant tells whether a value is short and never changes.
func (m *module) constant(n *sitter.Node) bool {
	switch n.Kind() {
	case "integer", "float", "true", "false", "none":
		return true
	case "string":
		return n.EndByte()-n.StartByte() <= 24 && !strings.ContainsAny(m.text(n)[:1], "fF")
	}
	return false
}

// notName tells whether an identifier is an attribute or the name of an argument.
func (m *module) notName(n *sitter.Node) bool {
	p := n.Parent()
	if p == nil {
		return false
	}
	if p.Kind() == "attribute" {
		return p.ChildByFieldName("attribute").StartByte() == n.StartByte()
	}
	return p.Kind() == "keyword_argument" && p.ChildByFieldName("name").StartByte() == n.StartByte()
}

// stores tells whether an identifier is bound where it stands.
func (m *module) stores(n *sitter.Node) bool {
	for p := n; p != nil; p = p.Parent() {
		if q := p.Parent(); q != nil {
			switch q.Kind() {
			case "assignment", "augmented_assignment", "for_statement", "for_in_clause":
				if l := q.ChildByFieldName("left"); l != nil && within(p, l) {
					return p.Kind() == "identifier" || strings.HasSuffix(p.Kind(), "pattern") || p.Kind() == "pattern_list"
				}
			case "parameters", "lambda_parameters", "as_pattern_target", "typed_parameter":
				return true
			case "default_parameter", "named_expression":
				return q.ChildByFieldName("name") != nil && q.ChildByFieldName("name").StartByte() == p.StartByte()
			}
		}
		if strings.HasSuffix(p.Kind(), "_statement") {
			return false
		}
	}
	return false
}

// once tells whether the use of a variable runs once for each time that it is assigned.
func (m *module) once(use, assignment *sitter.Node) bool {
	block := assignment.Parent()
	for p := use.Parent(); p != nil && p.Id() != block.Id(); p = p.Parent() {
		switch p.Kind() {
		case "lambda", "function_definition", "class_definition", "for_statement", "while_statement", "list_comprehension", "set_comprehension",
			"dictionary_comprehension", "generator_expression":
			if p.Kind() == "for_statement" && within(use, p.ChildByFieldName("right")) {
				continue
			}
			return false
		}
	}
	return true
}

func within(n, outer *sitter.Node) bool {
	return outer != nil && outer.StartByte() <= n.StartByte() && n.EndByte() <= outer.EndByte()
}

// stands tells whether a value needs no parentheses in the place of a name.
func (m *module) stands(use, value *sitter.Node) bool {
	k := value.Kind()
	p := use.Parent()
	if k == "integer" && p.Kind() == "attribute" {
		return false
	}
	if atom[k] {
		return true
	}
	switch p.Kind() {
	case "argument_list", "list", "tuple", "set", "parenthesized_expression", "expression_statement", "return_statement":
		return k != "generator_expression"
	case "assignment", "keyword_argument", "assert_statement":
		return true
	case "comparison_operator":
		return k == "binary_operator" || k == "unary_operator" || k == "concatenated_string"
	}
	return false
}

// lineAround returns the line that a byte is on.
func (m *module) lineAround(at int) string {
	from := strings.LastIndexByte(string(m.src[:at]), '\n') + 1
	to := strings.IndexByte(string(m.src[at:]), '\n')
	if to < 0 {
		to = len(m.src) - at
	}
	return string(m.src[from : at+to])
}
