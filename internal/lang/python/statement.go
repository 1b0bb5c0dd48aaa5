package python

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// Statement is one statement of a block, comments left out.
type Statement struct {
	Node                *lang.Node
	Start, End          int // bytes, without indentation and newline
	FirstLine, LastLine int
	OwnLines            bool // nothing but comments shares its lines
}

// Statements returns the statements of a block, a module or any node that has
// statements as children, in order.
func Statements(f *lang.File, block *lang.Node) []Statement {
	var out []Statement
	for _, n := range block.NamedChildren() {
		if IsStatement(n) {
			out = append(out, NewStatement(f, n))
		}
	}
	return out
}

// IsStatement reports whether n is a statement.
func IsStatement(n *lang.Node) bool {
	return n != nil && (strings.HasSuffix(n.Kind, "_statement") || strings.HasSuffix(n.Kind, "_definition"))
}

// StatementOf returns the innermost statement that is or holds n, nil if none.
func StatementOf(n *lang.Node) *lang.Node {
	for ; n != nil; n = n.Parent {
		if IsStatement(n) && !n.Parent.Is("decorated_definition") {
			return n
		}
	}
	return nil
}

// IsBlock reports whether n holds a list of statements.
func IsBlock(n *lang.Node) bool { return n.Is("block", "module") }

// NewStatement describes the statement n.
func NewStatement(f *lang.File, n *lang.Node) Statement {
	s := Statement{Node: n, Start: n.Start, End: n.End, FirstLine: f.Line(n.Start), LastLine: f.LastLine(n.Start, n.End)}
	before := f.Source[f.LineStart(s.FirstLine):n.Start]
	_, end := f.Span(s.LastLine, s.LastLine)
	after := strings.TrimSpace(string(f.Source[n.End:end]))
	s.OwnLines = strings.TrimLeft(string(before), " \t\f") == "" && (after == "" || strings.HasPrefix(after, "#"))
	return s
}

// Indent returns the white space in front of the line on which offset lies.
func Indent(f *lang.File, offset int) string {
	start := f.LineStart(f.Line(offset))
	end := start
	for end < len(f.Source) && (f.Source[end] == ' ' || f.Source[end] == '\t') {
		end++
	}
	return string(f.Source[start:end])
}

// Newline returns the line ending of the file, that of its first line.
func Newline(f *lang.File) string {
	if i := strings.IndexByte(string(f.Source), '\n'); i > 0 && f.Source[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// Removal returns the edit that deletes a statement with its lines, or puts
// "pass" in its place when its block would be left empty. It is false when the
// statement shares a line with another.
func Removal(f *lang.File, s Statement) (tree.Edit, bool) {
	if !s.OwnLines {
		if sole(f, s) {
			return tree.Edit{Start: s.Start, End: s.End, New: "pass"}, s.Node.Parent.Kind == "block"
		}
		return tree.Edit{}, false
	}
	if sole(f, s) {
		return tree.Edit{Start: s.Start, End: s.End, New: "pass"}, s.Node.Parent.Kind == "block"
	}
	start, end := f.Span(s.FirstLine, s.LastLine)
	return tree.Edit{Start: start, End: end}, true
}

func sole(f *lang.File, s Statement) bool {
	return s.Node.Parent != nil && s.Node.Parent.Kind == "block" && len(Statements(f, s.Node.Parent)) == 1
}

// Dedent returns the text of the lines first to last moved left by the
// difference of two indentations. It is false when a line cannot be moved:
// it is indented less, or it is inside a string of several lines.
func Dedent(f *lang.File, first, last int, from, to string) (string, bool) {
	if !strings.HasPrefix(from, to) {
		return "", false
	}
	cut := from[len(to):]
	start, end := f.Span(first, last)
	multiline := false
	f.Root.At(start, end).Walk(func(n *lang.Node) bool {
		if n.Is("string") && n.Start < end && n.End > start && f.Line(n.Start) != f.LastLine(n.Start, n.End) {
			multiline = true
		}
		return !multiline
	})
	if multiline {
		return "", false
	}
	var b strings.Builder
	for _, line := range strings.SplitAfter(string(f.Source[start:end]), "\n") {
		switch {
		case strings.TrimSpace(line) == "":
			b.WriteString(line)
		case strings.HasPrefix(line, to+cut):
			b.WriteString(to + line[len(to)+len(cut):])
		default:
			return "", false // a continuation line to the left, or mixed tabs
		}
	}
	return b.String(), true
}
