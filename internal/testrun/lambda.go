package testrun

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// inLambda returns the lines that a lambda cannot run without, with those that end it, for an
// edit of what it does: the statement that holds it runs when it is made, and it perhaps never.
// This is known of one that calls something by its name with arguments from the next line on: who
// comes to the call comes to that line, where a test shows that it can be seen to.
func (w *Workspace) inLambda(f *lang.File, p string, e tree.Edit) (first, last int, ok bool) {
	for n := f.Root.At(e.Start, e.End); n != nil && n.Parent != nil; n = n.Parent {
		call := n.Parent
		if !n.Is("argument_list") || !call.Is("call") || call.Parent == nil || !call.Parent.Is("lambda") {
			continue
		}
		l := call.Parent
		callee, args := call.Child("function"), n.NamedChildren()
		if l.Child("body") != call || callee == nil || !named(callee) || len(args) == 0 || e.Start <= n.Start || e.End >= n.End {
			return 0, 0, false
		}
		first, last = f.Line(args[0].Start), f.LastLine(l.Start, l.End)
		if f.Line(l.Start) >= first || f.Line(callee.Start) >= first || f.Line(e.Start) < first || !w.ran(p, first, first) {
			return 0, 0, false
		}
		rest, _, _ := strings.Cut(string(f.Source[l.End:]), "\n")
		return first, last, strings.Trim(rest, ")]}, \t\r") == ""
	}
	return 0, 0, false
}

// named reports whether an expression is a name, or a name's attribute.
func named(n *lang.Node) bool {
	for n.Is("attribute") {
		if n = n.Child("object"); n == nil {
			return false
		}
	}
	return n.Is("identifier")
}
