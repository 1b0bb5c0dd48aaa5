package strategy

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

func edit(start, end int, with string) tree.Edit { return tree.Edit{Start: start, End: end, New: with} }

// emptied returns, for each function of a file that does something, the edit
// that leaves its signature and docstring and does nothing: what it gives back
// then is what a function without a body gives, None or an empty iterator.
func emptied(a *python.Analysis, path string) []mutate.Mutation {
	var out []mutate.Mutation
	for _, s := range a.Scopes {
		if !s.Function || s.Body == nil {
			continue
		}
		ss := python.Statements(a.File, s.Body)
		if len(ss) > 0 && a.InertNode(ss[0].Node) == "docstring" {
			ss = ss[1:]
		}
		if len(ss) == 0 || len(ss) == 1 && idle(a.File, ss[0].Node) {
			continue
		}
		out = append(out, cut(a, path, bodyForm, s.Name, ss[0].Start, ss[len(ss)-1].End, nothing(a.File, s, ss[0])))
	}
	return out
}

// idle reports whether a statement does nothing worth taking away.
func idle(f *lang.File, n *lang.Node) bool {
	if n.Is("raise_statement") {
		return strings.Contains(f.Text(n), "NotImplemented")
	}
	switch f.Text(n) {
	case "pass", "...", "return", "return None", "return NotImplemented":
		return true
	}
	return false
}

// nothing is a body that does nothing, of the function's kind.
func nothing(f *lang.File, s *python.Scope, first python.Statement) string {
	var yields, returns bool
	s.Body.Walk(func(n *lang.Node) bool {
		yields = yields || n.Is("yield")
		returns = returns || n.Is("return_statement") && len(n.NamedChildren()) > 0
		return !n.Is("function_definition", "class_definition", "lambda")
	})
	async := strings.HasPrefix(f.Text(s.Node), "async")
	switch {
	case yields && async && first.OwnLines:
		return "return" + python.Newline(f) + python.Indent(f, first.Start) + "yield"
	case yields && async:
		return "return; yield"
	case yields:
		return "yield from ()"
	case returns:
		return "return None"
	}
	return "pass"
}

// unguarded returns the edits that delete an if without another branch that
// only leaves: a return, raise, break or continue on what is asked for.
func unguarded(a *python.Analysis, path string) []mutate.Mutation {
	var out []mutate.Mutation
	f := a.File
	f.Root.Walk(func(n *lang.Node) bool {
		if !n.Is("if_statement") || len(n.ChildrenOf("alternative")) > 0 || a.InertNode(n) != "" || a.FunctionAt(n.Start) == nil {
			return true
		}
		body := n.Child("consequence")
		if body == nil {
			return true
		}
		ss := python.Statements(f, body)
		if len(ss) == 0 || len(ss) > 3 || !ss[len(ss)-1].Node.Is("return_statement", "raise_statement", "break_statement", "continue_statement") {
			return true
		}
		if e, ok := python.Removal(f, python.NewStatement(f, n)); ok {
			m := cut(a, path, guardForm, a.ScopeAt(n.Start).Name, e.Start, e.End, e.New)
			m.Line, m.LastLine = f.Line(n.Start), f.Line(n.Start) // its condition: a guard whose body no test runs is covered
			out = append(out, m)
		}
		return true
	})
	return out
}
