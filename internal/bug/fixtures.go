package bug

import (
	"slices"
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
)

// withoutFixtures returns the test with what fixtures of its file do in place
// of their parameters, once for each case of a fixture that has several and of which
// the test's id does not tell the case. What a fixture does after the test goes.
func (v *variant) withoutFixtures() (out []*variant) {
	left := []*variant{v}
	for n := 0; n < len(left) && n < 4*maxRows; n++ {
		next := left[n].withoutFixture()
		if len(next) == 0 && n > 0 {
			out = append(out, left[n])
		}
		left = append(left, next...)
	}
	return out
}

// withoutFixture takes the first fixture out that can be.
func (v *variant) withoutFixture() []*variant {
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
		fixture := m.find(m.root, name)
		cases, ok := m.fixtureCases(fixture, v.id.param)
		if !ok {
			continue
		}
		var out []*variant
		for _, c := range cases {
			does, needs, ok := m.fixture(fixture, name, c, int(body.StartPosition().Column))
			if !ok {
				break
			}
			var keep []string
			for j, q := range ps {
				if j != i {
					keep = append(keep, m.text(q))
				}
			}
			for _, n := range needs {
				if !slices.Contains(keep, n) {
					keep = append(keep, n)
				}
			}
			cuts := []cut{{start: int(params.StartByte()), end: int(params.EndByte()), with: "(" + strings.Join(keep, ", ") + ")"},
				{start: int(body.StartByte()), end: int(body.StartByte()), with: does}}
			if src, at, ok := m.without(cuts, v.at); ok {
				id := v.id
				if c != "" {
					id.param = ""
				}
				out = append(out, newVariant(v.dir, src, id, at))
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// fixtureCases returns the values of request.param of a fixture, of all those the one
// that a test's id names if it names one; one "" for a fixture without cases.
func (m *module) fixtureCases(s *sitter.Node, id string) (cases []string, ok bool) {
	if s == nil || s.Kind() != "decorated_definition" || !strings.Contains(m.decorators(s), "fixture") {
		return nil, false
	}
	cases = []string{""}
	ok = true
	walk(s, func(n *sitter.Node) bool {
		switch {
		case n.Kind() == "function_definition":
			return false
		case n.Kind() != "keyword_argument":
			return true
		}
		switch m.text(n.ChildByFieldName("name")) {
		case "params":
			rows := m.elements(n.ChildByFieldName("value"))
			if len(rows) == 0 || len(rows) > maxRows {
				ok = false
				return false
			}
			cases = nil
			for i, r := range rows {
				text, fine := m.value(r)
				ok = ok && fine && r.Kind() != "call"
				if name := m.name(definition(s)); id == "["+m.idOf(r, name, i, true)+"]" || id == "["+m.idOf(r, name, i, false)+"]" {
					cases = []string{text}
					return false
				}
				cases = append(cases, text)
			}
		case "scope":
		default: // it is always used, or has another name
			ok = false
		}
		return false
	})
	return cases, ok
}

// fixture returns the statements of a fixture, with a case in place of
// request.param, which end with binding its name; and its own parameters.
func (m *module) fixture(s *sitter.Node, name, one string, column int) (does string, needs []string, ok bool) {
	d := definition(s)
	body := d.ChildByFieldName("body")
	if d.Kind() != "function_definition" || body.StartPosition().Row == d.StartPosition().Row {
		return "", nil, false
	}
	for _, p := range statements(d.ChildByFieldName("parameters")) {
		switch {
		case p.Kind() != "identifier" && p.Kind() != "typed_parameter":
			return "", nil, false
		case strings.HasPrefix(m.text(p), "request") && one != "":
			continue
		case m.text(p) == "request":
			return "", nil, false
		}
		needs = append(needs, m.text(p))
	}
	put := func(n *sitter.Node) string {
		return m.replaced(n, func(c *sitter.Node) (string, bool) { return one, one != "" && m.text(c) == "request.param" })
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
			text, ok := shifted(put(st), int(st.StartPosition().Column), column)
			if !ok {
				return "", nil, false
			}
			does += text + "\n" + indent
			continue
		}
		if st.Kind() == "return_statement" && i+1 < len(ss) {
			return "", nil, false
		}
		text := put(value)
		if strings.Contains(text, "\n") && !atom[value.Kind()] {
			text = "(" + text + ")"
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
