package bug

import (
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
)

// units lists what delta debugging may take out of a test file, in the order
// in which it stands there: statements of the module, members of classes,
// statements of every function and nested block, decorators, cases of a
// parametrised test; and compound statements that can be replaced by their
// body. The test itself and the classes around it are not offered.
func (m *module) units(id testID) []cut {
	classes, fn := m.locate(id)
	if fn == nil && len(classes) > 0 {
		fn = m.inherits(classes[len(classes)-1], id.fn, 0)
	}
	keep := map[uintptr]bool{}
	for _, c := range classes {
		keep[c.Id()] = true
	}
	if fn != nil {
		keep[fn.Id()] = true
		for p := fn.Parent(); p != nil; p = p.Parent() {
			keep[p.Id()] = true // a base class of this file
		}
	}
	var out []cut
	if fn != nil {
		for _, c := range separated(statements(definition(fn).ChildByFieldName("parameters"))) {
			if text := string(m.src[c.start:c.end]); !strings.HasPrefix(text, "self") && !strings.HasPrefix(text, "cls") {
				out = append(out, c)
			}
		}
	}
	walk(m.root, func(n *sitter.Node) bool {
		switch n.Kind() {
		case "module", "block":
			for _, s := range statements(n) {
				if keep[s.Id()] || s.Kind() == "pass_statement" {
					continue
				}
				out = append(out, m.cutStatement(s))
				if c, ok := m.unwrap(s); ok {
					out = append(out, c)
					out = append(out, m.rows(s, c)...)
				}
				if c, ok := m.otherwise(s); ok {
					out = append(out, c)
				}
			}
		case "class_definition":
			out = append(out, bases(n)...)
		case "except_clause", "finally_clause", "else_clause", "elif_clause":
			if p := n.PrevNamedSibling(); p != nil {
				out = append(out, cut{start: int(p.EndByte()), end: int(n.EndByte())})
			}
		case "decorator":
			if strings.Contains(m.text(n), "parametrize") {
				out = append(out, m.cases(n)...)
			} else if c := m.cutStatement(n); true {
				c.statement = false
				out = append(out, c)
			}
			return false
		}
		return true
	})
	return out
}

// unwrap replaces a with, for, while, if or try by its body.
func (m *module) unwrap(s *sitter.Node) (cut, bool) {
	switch s.Kind() {
	case "with_statement", "for_statement", "while_statement", "if_statement", "try_statement":
	default:
		return cut{}, false
	}
	body := s.ChildByFieldName("body")
	if body == nil {
		body = s.ChildByFieldName("consequence")
	}
	return m.instead(s, body)
}

// otherwise replaces an if by what its else holds.
func (m *module) otherwise(s *sitter.Node) (cut, bool) {
	if s.Kind() != "if_statement" {
		return cut{}, false
	}
	last := s.NamedChild(s.NamedChildCount() - 1)
	if last.Kind() != "else_clause" {
		return cut{}, false
	}
	return m.instead(s, last.ChildByFieldName("body"))
}

// instead replaces a compound statement by one of its blocks.
func (m *module) instead(s, body *sitter.Node) (cut, bool) {
	if body == nil || body.StartPosition().Row == s.StartPosition().Row {
		return cut{}, false
	}
	lift := int(body.StartPosition().Column) - int(s.StartPosition().Column)
	text, ok := dedent(m.text(body), lift)
	if !ok {
		return cut{}, false
	}
	return cut{start: int(s.StartByte()), end: int(s.EndByte()), with: text, body: int(body.StartByte())}, true
}

// dedent takes n columns from every line but the first. ok is false when a
// line does not have them, as in a string over several lines.
func dedent(text string, n int) (string, bool) {
	lines := strings.Split(text, "\n")
	for i, l := range lines[1:] {
		if strings.TrimSpace(l) == "" {
			lines[i+1] = ""
			continue
		}
		if len(l) < n || strings.TrimSpace(l[:n]) != "" {
			return "", false
		}
		lines[i+1] = l[n:]
	}
	return strings.Join(lines, "\n"), true
}

// bases offers the base classes of a class.
func bases(class *sitter.Node) []cut {
	list := class.ChildByFieldName("superclasses")
	if list == nil {
		return nil
	}
	elements := statements(list)
	if len(elements) == 1 {
		return []cut{{start: int(list.StartByte()), end: int(list.EndByte())}}
	}
	return separated(elements)
}

// separated offers the elements of a list one by one, with the comma behind.
func separated(elements []*sitter.Node) []cut {
	var out []cut
	for i, e := range elements {
		c := cut{start: int(e.StartByte()), end: int(e.EndByte())}
		if i+1 < len(elements) {
			c.end = int(elements[i+1].StartByte())
		}
		out = append(out, c)
	}
	return out
}

// cases offers the elements of the list of a parametrize decorator.
func (m *module) cases(decorator *sitter.Node) []cut {
	var list *sitter.Node
	walk(decorator, func(n *sitter.Node) bool {
		if list == nil && n.Kind() == "argument_list" {
			args := statements(n)
			if len(args) >= 2 && (args[1].Kind() == "list" || args[1].Kind() == "tuple") {
				list = args[1]
			}
			return false
		}
		return true
	})
	if list == nil {
		return nil
	}
	elements := statements(list)
	if len(elements) < 2 {
		return nil
	}
	return separated(elements)
}
