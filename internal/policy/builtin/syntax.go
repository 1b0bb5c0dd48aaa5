package builtin

import (
	"strings"

	"breakfix/internal/tree"
)

// node is one node of a syntax tree, copied out of the parser once so that
// looking around costs nothing.
type node struct {
	kind       string // of the grammar: "call", "identifier", "+"
	field      string // its role in its parent: "left", "function"
	named      bool
	start, end int // bytes
	row, last  int // 1-based lines
	parent     *node
	kids       []*node
	index      int // among the parent's kids
}

// text returns the node's source.
func (n *node) text(src []byte) string { return string(src[n.start:n.end]) }

// child returns the child with a role, nil when there is none.
func (n *node) child(field string) *node {
	for _, k := range n.kids {
		if k.field == field {
			return k
		}
	}
	return nil
}

// parts returns the named children that are not comments.
func (n *node) parts() []*node {
	var ps []*node
	for _, k := range n.kids {
		if k.named && k.kind != "comment" {
			ps = append(ps, k)
		}
	}
	return ps
}

// token returns the first unnamed child of one of the kinds.
func (n *node) token(kinds ...string) *node {
	for _, k := range n.kids {
		for _, kind := range kinds {
			if !k.named && k.kind == kind {
				return k
			}
		}
	}
	return nil
}

// up returns the nearest node above n (not n itself) of one of the kinds.
func (n *node) up(kinds ...string) *node {
	for p := n.parent; p != nil; p = p.parent {
		for _, k := range kinds {
			if p.kind == k {
				return p
			}
		}
	}
	return nil
}

// walk calls f for n and everything below it, in source order, and does not
// enter nodes for which f returns false.
func (n *node) walk(f func(*node) bool) {
	if !f(n) {
		return
	}
	for _, k := range n.kids {
		k.walk(f)
	}
}

// bare is the expression within n's brackets.
func bare(n *node) *node {
	for n.kind == "parenthesized_expression" && len(n.parts()) == 1 {
		n = n.parts()[0]
	}
	return n
}

// block reports whether n holds statements.
func (n *node) block() bool { return n.kind == "block" || n.kind == "module" }

// statement returns the statement that n is in, n itself when it is one.
func (n *node) statement() *node {
	for s := n; s != nil; s = s.parent {
		if s.parent != nil && s.parent.block() {
			return s
		}
	}
	return nil
}

func (n *node) simple() bool {
	switch n.kind {
	case "expression_statement", "return_statement", "raise_statement", "assert_statement", "delete_statement",
		"pass_statement", "break_statement", "continue_statement", "global_statement", "nonlocal_statement":
		return true
	}
	return false
}

// replace is the edit that puts text in n's place.
func (n *node) replace(text string) []tree.Edit {
	return []tree.Edit{{Start: n.start, End: n.end, New: text}}
}

// indentAt returns the white space that the line of offset starts with.
func indentAt(src []byte, offset int) string {
	s := lineStart(src, offset)
	e := s
	for e < len(src) && (src[e] == ' ' || src[e] == '\t') {
		e++
	}
	return string(src[s:e])
}

// deeper is the indentation of a block within one.
func deeper(indent string) string {
	if strings.Contains(indent, "\t") {
		return indent + "\t"
	}
	return indent + "    "
}

func lineStart(src []byte, offset int) int {
	for offset > 0 && src[offset-1] != '\n' {
		offset--
	}
	return offset
}

func lineEnd(src []byte, offset int) int {
	for offset < len(src) && src[offset] != '\n' {
		offset++
	}
	return offset
}

// reindent moves text, whose later lines are indented by from, to the
// indentation to. The first line carries none.
func reindent(text, from, to string) string {
	if from == to || !strings.Contains(text, "\n") {
		return text
	}
	lines := strings.Split(text, "\n")
	for i := 1; i < len(lines); i++ {
		if rest, ok := strings.CutPrefix(lines[i], from); ok {
			lines[i] = to + rest
		}
	}
	return strings.Join(lines, "\n")
}
