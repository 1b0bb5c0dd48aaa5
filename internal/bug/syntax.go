package bug

import (
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
)

// maxTestFile bounds the test files that are taken apart, in bytes.
const maxTestFile = 1 << 20

// module is a parsed Python file. Close it.
type module struct {
	src  []byte
	tree *sitter.Tree
	root *sitter.Node
}

func parse(src []byte) (*module, bool) {
	if len(src) > maxTestFile {
		return nil, false
	}
	t := treeOf(src)
	if t == nil {
		return nil, false
	}
	return &module{src: src, tree: t, root: t.RootNode()}, true
}

// Close frees the syntax tree.
func (m *module) Close() { m.tree.Close() }

func (m *module) text(n *sitter.Node) string {
	return string(m.src[n.StartByte():n.EndByte()])
}

// statements returns the statements of a module or block, without comments.
func statements(block *sitter.Node) []*sitter.Node {
	var out []*sitter.Node
	for i := uint(0); i < block.NamedChildCount(); i++ {
		if c := block.NamedChild(i); c.Kind() != "comment" {
			out = append(out, c)
		}
	}
	return out
}

// definition returns the class or function below decorators, nil for others.
func definition(n *sitter.Node) *sitter.Node {
	if n.Kind() == "decorated_definition" {
		n = n.ChildByFieldName("definition")
	}
	if n != nil && (n.Kind() == "class_definition" || n.Kind() == "function_definition") {
		return n
	}
	return nil
}

func (m *module) name(def *sitter.Node) string {
	if n := def.ChildByFieldName("name"); n != nil {
		return m.text(n)
	}
	return ""
}

// find returns the statement in block that defines name last, nil when none does.
func (m *module) find(block *sitter.Node, name string) *sitter.Node {
	var found *sitter.Node
	for _, s := range statements(block) {
		if d := definition(s); d != nil && m.name(d) == name {
			found = s
		}
	}
	return found
}

// locate returns the statements of the classes and of the function that an id
// names; the function is nil when its innermost class inherits it.
func (m *module) locate(id testID) (classes []*sitter.Node, fn *sitter.Node) {
	block := m.root
	for _, c := range id.classes {
		s := m.find(block, c)
		if s == nil || definition(s).Kind() != "class_definition" {
			return nil, nil
		}
		classes = append(classes, s)
		block = definition(s).ChildByFieldName("body")
	}
	fn = m.find(block, id.fn)
	if fn != nil && definition(fn).Kind() != "function_definition" {
		fn = nil
	}
	return classes, fn
}

// walk calls f for every node below n, n first, until f returns false for its subtree.
func walk(n *sitter.Node, f func(*sitter.Node) bool) {
	if !f(n) {
		return
	}
	for i := uint(0); i < n.NamedChildCount(); i++ {
		walk(n.NamedChild(i), f)
	}
}

// countStatements counts the statements of a file, nested ones too, without
// comments and docstrings.
func countStatements(src []byte) int {
	m, ok := parse(src)
	if !ok {
		return strings.Count(string(src), "\n")
	}
	defer m.Close()
	count := 0
	walk(m.root, func(n *sitter.Node) bool {
		if n.Kind() == "module" || n.Kind() == "block" {
			for _, s := range statements(n) {
				if !isString(s) {
					count++
				}
			}
		}
		return true
	})
	return count
}

// isString tells whether a statement is a bare string, a docstring mostly.
func isString(s *sitter.Node) bool {
	return s.Kind() == "expression_statement" && s.NamedChildCount() == 1 && s.NamedChild(0).Kind() == "string"
}

// identifiers adds every name that n mentions, and the contents of its short
// strings: tests name fixtures and attributes in strings too.
func (m *module) identifiers(n *sitter.Node, into map[string]bool) {
	walk(n, func(c *sitter.Node) bool {
		switch c.Kind() {
		case "identifier":
			into[m.text(c)] = true
		case "string_content":
			if s := m.text(c); len(s) < 200 {
				for _, w := range strings.FieldsFunc(s, func(r rune) bool {
					return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r < 128
				}) {
					into[w] = true
				}
			}
		}
		return true
	})
}

// binds adds the names that a statement defines: of imports, definitions,
// assignments, and of those within if, try and with at module level.
func (m *module) binds(s *sitter.Node, into map[string]bool) {
	if d := definition(s); d != nil {
		into[m.name(d)] = true
		return
	}
	walk(s, func(c *sitter.Node) bool {
		switch c.Kind() {
		case "import_statement", "import_from_statement", "future_import_statement":
			m.imported(c, into)
			return false
		case "class_definition", "function_definition":
			into[m.name(c)] = true
			return false
		case "assignment", "augmented_assignment", "for_statement":
			if l := c.ChildByFieldName("left"); l != nil {
				m.identifiers(l, into)
			}
		case "as_pattern_target", "type_alias_statement":
			m.identifiers(c, into)
		case "wildcard_import":
			into["*"] = true
		}
		return true
	})
}

// imported adds the names that an import statement binds.
func (m *module) imported(s *sitter.Node, into map[string]bool) {
	from := s.ChildByFieldName("module_name")
	for i := uint(0); i < s.NamedChildCount(); i++ {
		c := s.NamedChild(i)
		if from != nil && c.StartByte() == from.StartByte() && c.EndByte() == from.EndByte() {
			continue
		}
		switch c.Kind() {
		case "aliased_import":
			into[m.text(c.ChildByFieldName("alias"))] = true
		case "dotted_name":
			name := m.text(c)
			if from == nil {
				name, _, _ = strings.Cut(name, ".")
			}
			into[name] = true
		case "wildcard_import":
			into["*"] = true
		}
	}
}
