package bug

import (
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
)

// withoutFixtures returns the test with what fixtures of its file do in place
// of their parameters, nil when none can be. What a fixture does after the test goes.
func (v *variant) withoutFixtures() *variant {
	out := v
	for range 8 {
		next := out.withoutFixture()
		if next == nil {
			break
		}
		out = next
	}
	if out == v {
		return nil
	}
	return out
}

func (v *variant) withoutFixture() *variant {
	m, ok := parse(v.src)
	if !ok {
		return nil
	}
	defer m.Close()
	_, fn := m.locate(v.id)
	if fn == nil {
		return nil
	}
	d := definition(fn)
	params, body := d.ChildByFieldName("parameters"), d.ChildByFieldName("body")
	if body.StartPosition().Row == d.StartPosition().Row {
		return nil
	}
	ps := statements(params)
	for i, p := range ps {
		name := m.text(p)
		if p.Kind() == "typed_parameter" {
			name = m.text(p.NamedChild(0))
		}
		does, needs, ok := m.fixture(name, int(body.StartPosition().Column))
		if !ok {
			continue
		}
		var keep []string
		for j, q := range ps {
			if j != i {
				keep = append(keep, m.text(q))
			}
		}
		for _, n := range needs {
			if !strings.Contains(", "+strings.Join(keep, ", ")+", ", ", "+n+", ") {
				keep = append(keep, n)
			}
		}
		cuts := []cut{{start: int(params.StartByte()), end: int(params.EndByte()), with: "(" + strings.Join(keep, ", ") + ")"},
			{start: int(body.StartByte()), end: int(body.StartByte()), with: does}}
		if src, at, ok := m.without(cuts, v.at); ok {
			return newVariant(v.dir, src, v.id, at)
		}
	}
	return nil
}

// fixture returns the statements of a fixture of the module, which end with
// binding its name, and its own parameters.
func (m *module) fixture(name string, column int) (does string, needs []string, ok bool) {
	s := m.find(m.root, name)
	if s == nil || s.Kind() != "decorated_definition" || !strings.Contains(m.decorators(s), "fixture") || strings.Contains(m.decorators(s), "(") &&
		!strings.Contains(m.decorators(s), "fixture()") {
		return "", nil, false
	}
	d := definition(s)
	body := d.ChildByFieldName("body")
	if d.Kind() != "function_definition" || body.StartPosition().Row == d.StartPosition().Row {
		return "", nil, false
	}
	for _, p := range statements(d.ChildByFieldName("parameters")) {
		if p.Kind() != "identifier" || m.text(p) == "request" {
			return "", nil, false
		}
		needs = append(needs, m.text(p))
	}
	ss := statements(body)
	if len(ss) > 0 && isString(ss[0]) {
		ss = ss[1:]
	}
	indent := strings.Repeat(" ", column)
	for i, st := range ss {
		value := gives(st)
		if value == nil {
			if contains(st, "return_statement") || contains(st, "yield") {
				return "", nil, false
			}
			text, ok := shifted(m.text(st), int(st.StartPosition().Column), column)
			if !ok {
				return "", nil, false
			}
			does += text + "\n" + indent
			continue
		}
		if st.Kind() == "return_statement" && i+1 < len(ss) {
			return "", nil, false
		}
		text, ok := m.value(value)
		if !ok {
			return "", nil, false
		}
		if text != name {
			does += name + " = " + text + "\n" + indent
		}
		return does, needs, true
	}
	return "", nil, false
}

// gives returns the value that a statement hands to who asked for a fixture.
func gives(s *sitter.Node) *sitter.Node {
	switch {
	case s.Kind() == "return_statement" && s.NamedChildCount() == 1:
		return s.NamedChild(0)
	case s.Kind() == "expression_statement" && s.NamedChildCount() == 1 && s.NamedChild(0).Kind() == "yield" && s.NamedChild(0).NamedChildCount() == 1:
		return s.NamedChild(0).NamedChild(0)
	}
	return nil
}

func contains(n *sitter.Node, kind string) bool {
	found := false
	walk(n, func(c *sitter.Node) bool {
		found = found || c.Kind() == kind
		return !found && definition(c) == nil
	})
	return found
}

// shifted moves a text from one column to another.
func shifted(text string, from, to int) (string, bool) {
	if from >= to {
		return dedent(text, from-to)
	}
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", to-from)), true
}
