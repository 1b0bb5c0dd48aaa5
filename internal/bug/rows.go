package bug

import (
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
)

// A table of cases is a loop over a list, a parametrised test or a fixture with
// cases. What is looked for is the one that fails, as plain assignments.

const maxRows = 40 // cases of a table that are tried one by one

// rows replaces a loop over a table by its body with one row of the table;
// unwrapped is the loop replaced by its body alone.
func (m *module) rows(loop *sitter.Node, unwrapped cut) []cut {
	if loop.Kind() != "for_statement" || loop.ChildByFieldName("alternative") != nil {
		return nil
	}
	left := loop.ChildByFieldName("left")
	right := loop.ChildByFieldName("right")
	if arg := m.argument(right, "enumerate"); arg != nil && left != nil && len(statements(left)) == 2 {
		left, right = statements(left)[1], arg // the number goes
	}
	rows := m.elements(right)
	if left == nil || len(rows) > maxRows {
		return nil
	}
	var out []cut
	indent := strings.Repeat(" ", int(loop.StartPosition().Column))
	for _, r := range rows {
		head, ok := m.assign(left, r, indent)
		if !ok {
			return nil
		}
		c := unwrapped
		c.with, c.above = head+c.with, strings.Count(head, "\n")
		out = append(out, c)
	}
	return out
}

// argument returns the only argument of a call of a function.
func (m *module) argument(n *sitter.Node, function string) *sitter.Node {
	if n == nil || n.Kind() != "call" || m.text(n.ChildByFieldName("function")) != function {
		return nil
	}
	if as := statements(n.ChildByFieldName("arguments")); len(as) == 1 {
		return as[0]
	}
	return nil
}

// assign binds what a target names to the parts of a value, each on a line that
// the indent ends.
func (m *module) assign(target, value *sitter.Node, indent string) (string, bool) {
	names, values := []*sitter.Node{target}, []*sitter.Node{value}
	if target.Kind() == "pattern_list" || target.Kind() == "tuple_pattern" {
		if value.Kind() != "tuple" && value.Kind() != "list" {
			return m.text(target) + " = " + m.text(value) + "\n" + indent, true
		}
		names, values = statements(target), statements(value)
	}
	if len(names) != len(values) {
		return "", false
	}
	out := ""
	for i, n := range names {
		text, ok := m.value(values[i])
		if !ok || strings.Contains(n.Kind(), "splat") {
			return "", false
		}
		out += m.text(n) + " = " + text + "\n" + indent
	}
	return out, true
}

// value returns an expression as it can stand on the right of an assignment.
func (m *module) value(n *sitter.Node) (string, bool) {
	text := m.text(n)
	switch {
	case strings.Contains(n.Kind(), "splat") || n.Kind() == "keyword_argument":
		return "", false
	case strings.Contains(text, "\n") && !atom[n.Kind()]:
		text = "(" + text + ")"
	}
	return text, true
}

// elements returns the elements of a list or tuple that is written out, there
// or where the module or a function binds its name once.
func (m *module) elements(n *sitter.Node) []*sitter.Node {
	if n == nil {
		return nil
	}
	if n.Kind() == "identifier" {
		if n = m.bound(m.text(n)); n == nil {
			return nil
		}
	}
	if n.Kind() != "list" && n.Kind() != "tuple" && n.Kind() != "expression_list" {
		return nil
	}
	for _, e := range statements(n) {
		if strings.Contains(e.Kind(), "splat") {
			return nil
		}
	}
	return statements(n)
}

// bound returns what the only assignment to a name in the file assigns.
func (m *module) bound(name string) *sitter.Node {
	var found *sitter.Node
	count := 0
	walk(m.root, func(n *sitter.Node) bool {
		if n.Kind() == "assignment" || n.Kind() == "augmented_assignment" {
			if l := n.ChildByFieldName("left"); l != nil && m.text(l) == name {
				found = n.ChildByFieldName("right")
				count++
			}
		}
		return true
	})
	if count != 1 {
		return nil
	}
	return found
}
