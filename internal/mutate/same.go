package mutate

import (
	"bytes"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
)

// Same reports whether two texts of a Python file surely run alike: they
// differ in comments, layout, docstrings, annotations of variables in
// functions, parentheses, pass beside other statements, what stands behind a
// jump, branches of a condition that is a literal, or literals that are spelt
// otherwise. False says nothing: most equivalence is beyond the text.
func Same(before, after []byte) bool {
	if bytes.Equal(before, after) {
		return true
	}
	a, ok := normal(before)
	if !ok {
		return false
	}
	b, ok := normal(after)
	return ok && a == b
}

func normal(src []byte) (string, bool) {
	f, err := python.Python.Parse(src)
	if err != nil || f.HasError {
		return "", false
	}
	w := &normaliser{f: f}
	w.statements(f.Root)
	return w.b.String(), true
}

// normaliser writes the tokens of a file with the structure of its blocks.
type normaliser struct {
	f *lang.File
	b strings.Builder
}

// statements writes a block: what a reader that runs it would come to.
func (w *normaliser) statements(block *lang.Node) {
	w.b.WriteString("{")
	for i, s := range block.NamedChildren() {
		switch {
		case s.Is("pass_statement"):
			continue
		case i == 0 && w.stringAlone(s) && w.documented(block):
			w.b.WriteString("doc;") // __doc__ is there either way
			continue
		case w.stringAlone(s):
			continue
		}
		if s.Is("if_statement") && w.fixed(s) {
			continue
		}
		w.node(s)
		w.b.WriteString(";")
		if s.Is("return_statement", "raise_statement", "break_statement", "continue_statement") && !holdsYield(block, s) {
			break // nothing behind it runs, and nothing there makes a generator
		}
	}
	w.b.WriteString("}")
}

// documented: the first string of the block is somebody's __doc__.
func (w *normaliser) documented(block *lang.Node) bool {
	return block.Is("module") || block.Parent.Is("function_definition", "class_definition")
}

func (w *normaliser) stringAlone(s *lang.Node) bool {
	cs := s.NamedChildren()
	return s.Is("expression_statement") && len(cs) == 1 && cs[0].Is("string", "ellipsis") && cs[0].First("interpolation") == nil
}

// holdsYield: behind a jump stands what changes the function by being there: a
// yield, or a binding that makes a name local.
func holdsYield(block, jump *lang.Node) bool {
	found := false
	for _, s := range block.NamedChildren() {
		if s.Start > jump.Start {
			s.Walk(func(n *lang.Node) bool {
				found = found || n.Is("yield", "assignment", "augmented_assignment", "named_expression", "for_statement", "import_statement", "import_from_statement",
					"function_definition", "class_definition", "with_statement", "as_pattern_target", "global_statement", "nonlocal_statement", "delete_statement")
				return !found
			})
		}
	}
	return found
}

func (w *normaliser) node(n *lang.Node) {
	switch {
	case n.Is("comment", "line_continuation"):
		return
	case n.Is("block"):
		w.statements(n)
		return
	case n.Is("parenthesized_expression") && len(n.NamedChildren()) == 1 && w.plain(n):
		w.node(n.NamedChildren()[0])
		return
	case n.Is("integer"):
		w.b.WriteString(strings.ToLower(strings.ReplaceAll(w.f.Text(n), "_", "")) + " ")
		return
	case n.Is("string") || len(n.Children) == 0:
		w.b.WriteString(w.f.Text(n) + " ")
		return
	}
	if n.Is("binary_operator", "boolean_operator", "comparison_operator", "unary_operator", "not_operator", "conditional_expression", "lambda", "await", "yield", "named_expression") {
		w.b.WriteString("(") // the tree's own grouping, however it is written
		defer w.b.WriteString(")")
	}
	for _, c := range n.Children {
		if c.Kind == "," && (c.Next() == nil || !c.Next().Named) && !n.Is("tuple", "expression_list", "subscript") {
			continue // a trailing comma
		}
		w.node(c)
	}
}

// plain: parentheses around an expression that means the same without.
func (w *normaliser) plain(n *lang.Node) bool {
	return !n.NamedChildren()[0].Is("yield", "named_expression", "generator_expression") && !n.Parent.Is("with_item", "with_clause", "assert_statement", "delete_statement", "print_statement")
}

// fixed writes an if whose condition is True or False as the branch that runs.
func (w *normaliser) fixed(n *lang.Node) bool {
	cond := n.Child("condition")
	if !cond.Is("true", "false") || n.Child("consequence") == nil {
		return false
	}
	dead := []*lang.Node{}
	var live *lang.Node
	alts := n.ChildrenOf("alternative")
	if cond.Is("true") {
		live = n.Child("consequence")
		dead = alts
	} else {
		dead = append(dead, n.Child("consequence"))
		switch {
		case len(alts) == 1 && alts[0].Is("else_clause"):
			live = alts[0].Child("body")
		case len(alts) > 0:
			return false
		}
	}
	for _, d := range dead {
		if holdsYield(d, &lang.Node{Start: -1}) {
			return false
		}
	}
	if live != nil {
		for _, s := range live.NamedChildren() {
			if s.Is("pass_statement") || w.stringAlone(s) || s.Is("if_statement") && w.fixed(s) {
				continue
			}
			w.node(s)
			w.b.WriteString(";")
		}
	}
	return true
}
