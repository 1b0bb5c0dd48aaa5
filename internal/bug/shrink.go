package bug

import (
	"bytes"
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
)

const (
	longText = 24  // characters of a text of which a half may do
	maxParts = 400 // of literals that are tried
)

// parts lists what can go within statements: elements of literals, halves of long
// texts, named arguments, the last call of a chain.
func (m *module) parts() []cut {
	var out []cut
	walk(m.root, func(n *sitter.Node) bool {
		switch n.Kind() {
		case "import_statement", "import_from_statement", "decorator", "parameters":
			return false
		case "list", "tuple", "set", "dictionary":
			e := statements(n)
			if n.Kind() == "tuple" && len(e) <= 2 {
				break // it is a pair, or would become one's half
			}
			out = append(out, separated(e)...)
		case "as_pattern":
			out = append(out, cut{start: int(n.NamedChild(0).EndByte()), end: int(n.EndByte())})
		case "argument_list":
			e := statements(n)
			for i, c := range separated(e) {
				if e[i].Kind() == "keyword_argument" {
					out = append(out, c)
				}
			}
		case "string":
			out = append(out, m.halves(n)...)
			return false
		case "call":
			if f := n.ChildByFieldName("function"); f != nil && f.Kind() == "attribute" {
				if o := f.ChildByFieldName("object"); o != nil && o.Kind() == "call" {
					out = append(out, cut{start: int(o.EndByte()), end: int(n.EndByte())})
				}
			}
		}
		return true
	})
	if len(out) > maxParts {
		out = out[:maxParts]
	}
	return out
}

func (m *module) halves(n *sitter.Node) []cut {
	var out []cut
	for i := uint(0); i < n.NamedChildCount(); i++ {
		c := n.NamedChild(i)
		from, to := int(c.StartByte()), int(c.EndByte())
		text := m.src[from:to]
		if c.Kind() != "string_content" || to-from < longText || bytes.IndexByte(text, '\\') >= 0 {
			continue
		}
		mid := from + len(text)/2
		for mid < to && m.src[mid]&0xc0 == 0x80 {
			mid++ // not inside of a character
		}
		out = append(out, cut{start: from, end: mid}, cut{start: mid, end: to})
	}
	return out
}

// commas takes out the commas and blanks that are left at the end of literals on
// one line.
func commas(src []byte) []byte {
	m, ok := parse(src)
	if !ok {
		return src
	}
	defer m.Close()
	var cuts []cut
	walk(m.root, func(n *sitter.Node) bool {
		switch n.Kind() {
		case "list", "tuple", "set", "dictionary", "argument_list":
			e := statements(n)
			if len(e) == 0 || n.Kind() == "tuple" && len(e) == 1 {
				return true
			}
			from, to := int(e[len(e)-1].EndByte()), int(n.EndByte())-1
			if rest := string(m.src[from:to]); strings.Contains(rest, ",") && strings.Trim(rest, ", ") == "" {
				cuts = append(cuts, cut{start: from, end: to})
			}
		}
		return true
	})
	if len(cuts) == 0 {
		return src
	}
	if out, ok := m.apply(cuts); ok {
		return out
	}
	return src
}
