package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// condition returns the expression that decides at n, nil when none does.
func condition(n *lang.Node) *lang.Node {
	switch n.Kind {
	case "if_statement", "elif_clause", "while_statement":
		return n.Child("condition")
	case "if_clause":
		if cs := n.NamedChildren(); len(cs) == 1 {
			return cs[0]
		}
	case "conditional_expression":
		if cs := n.NamedChildren(); len(cs) == 3 {
			return cs[1]
		}
	}
	return nil
}

// decides reports whether n is a condition, or a part of one.
func decides(n *lang.Node) bool {
	for p := n.Parent; p != nil; n, p = p, p.Parent {
		if condition(p) == n {
			return true
		}
		if !p.Is("boolean_operator", "not_operator", "parenthesized_expression") {
			return p.Is("assert_statement")
		}
	}
	return false
}

var oppositeComparison = map[string]string{
	"==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in",
}

func negateComparison(p *pass, n *lang.Node) {
	if inSameBranches(p, n) {
		return
	}
	cs := n.NamedChildren()
	if len(cs) != 2 {
		return
	}
	op := p.operator(n)
	to := oppositeComparison[op]
	if to == "" {
		return
	}
	for _, c := range n.Children {
		if !c.Named && c.Start >= cs[0].End {
			// "is not" and "not in" are one token or two
			end := c.End
			for m := c.Next(); m != nil && !m.Named; m = m.Next() {
				end = m.End
			}
			p.offer(n, op+" → "+to, tree.Edit{Start: c.Start, End: end, New: to})
			return
		}
	}
}

func negateCondition(p *pass, n *lang.Node) {
	cs := []*lang.Node{condition(n)}
	if cs[0] != nil && inSameBranches(p, cs[0]) {
		return
	}
	if n.Is("boolean_operator") {
		if !decides(n) && !n.Child("operator").Is("and") {
			return // "x or default" is a value
		}
		cs = []*lang.Node{n.Child("left"), n.Child("right")}
	}
	for _, c := range cs {
		switch {
		case c == nil || c.Is("not_operator", "true", "false", "named_expression"):
		case c.Is("comparison_operator") && len(c.NamedChildren()) == 2 && oppositeComparison[p.operator(c)] != "":
		case c.Is("comparison_operator"):
			p.replace(c, "not "+p.text(c), "not "+p.text(c))
		case c.Is("boolean_operator") && n.Is("boolean_operator"):
		default:
			p.replace(c, "not", "not "+p.operand(c))
		}
	}
}

func connectorSwap(p *pass, n *lang.Node) {
	op := n.Child("operator")
	if inAssert(n) {
		return
	}
	to := map[string]string{"and": "or", "or": "and"}[op.Kind]
	p.offer(n, op.Kind+" → "+to, tree.Edit{Start: op.Start, End: op.End, New: to})
}

func forceCondition(p *pass, n *lang.Node) {
	c := condition(n)
	if c == nil || c.Is("true", "false") || p.a.InertNode(c) != "" || inSameBranches(p, c) {
		return
	}
	if !n.Is("while_statement") { // "while True" where nothing breaks is only a hang
		p.replace(c, "True", "True")
	}
	p.replace(c, "False", "False")
}

func subcondition(p *pass, n *lang.Node) {
	op := n.Child("operator").Kind
	if op == "or" && !decides(n) && !isTest(n.Child("left")) || inAssert(n) {
		return // null_default_removal is that; an assertion that says less is never red
	}
	p.replace(n, "drop "+op+" "+p.text(n.Child("right")), p.text(n.Child("left")))
	p.replace(n, "drop "+p.text(n.Child("left"))+" "+op, p.text(n.Child("right")))
}

func inAssert(n *lang.Node) bool {
	return n.Ancestor("assert_statement", "block", "module").Is("assert_statement")
}

// inSameBranches reports whether a condition decides between branches with the
// same text.
func inSameBranches(p *pass, n *lang.Node) bool {
	switch q := n.Parent; {
	case condition(q) != n:
	case q.Is("conditional_expression"):
		cs := q.NamedChildren()
		return p.text(cs[0]) == p.text(cs[2])
	case q.Is("if_statement"):
		alts := q.ChildrenOf("alternative")
		return len(alts) == 1 && alts[0].Is("else_clause") && p.text(alts[0].Child("body")) == p.text(q.Child("consequence"))
	}
	return false
}

func isTest(n *lang.Node) bool { return n.Is("comparison_operator", "not_operator") }

func branchSwap(p *pass, n *lang.Node) {
	then, alt := n.Child("consequence"), n.Child("alternative")
	var other *lang.Node
	switch {
	case alt.Is("else_clause"):
		other = alt.Child("body")
	case alt.Is("elif_clause"):
		other = alt.Child("consequence")
	}
	if then == nil || other == nil || len(then.Children) == 0 || len(other.Children) == 0 {
		return
	}
	// Both on lines of their own, or both behind the colon.
	same := p.f.Line(then.Start) != p.f.Line(n.Start)
	if same != (p.f.Line(other.Start) != p.f.Line(alt.Start)) {
		return
	}
	if same && python.Indent(p.f, then.Start) != python.Indent(p.f, other.Start) {
		return
	}
	p.swap(n, "swap the branches", then, other)
}

func ternarySwap(p *pass, n *lang.Node) {
	if cs := n.NamedChildren(); len(cs) == 3 {
		if cs[2].Is("conditional_expression", "lambda") {
			return
		}
		p.swap(n, "swap the branches", cs[0], cs[2])
	}
}

// guard returns the one statement of an if without else that leaves the
// function or loop, nil when it is something else.
func guard(p *pass, n *lang.Node) *lang.Node {
	if n.Child("alternative") != nil || n.Child("consequence") == nil {
		return nil
	}
	ss := python.Statements(p.f, n.Child("consequence"))
	if len(ss) == 0 || len(ss) > 2 {
		return nil
	}
	last := ss[len(ss)-1].Node
	if last.Is("return_statement", "raise_statement", "continue_statement", "break_statement") {
		return last
	}
	return nil
}

func guardRemoval(p *pass, n *lang.Node) {
	if g := guard(p, n); g != nil && !sentinelTest(p, n) && !needless(p, n, g) {
		p.remove(n, "delete the "+strings.TrimSuffix(g.Kind, "_statement")+" if "+p.text(n.Child("condition")))
	}
}

func armRemoval(p *pass, n *lang.Node) {
	if n.Is("except_clause", "case_clause") {
		count := 0
		for _, c := range n.Parent.Children {
			if c.Kind == n.Kind {
				count++
			}
		}
		if count < 2 {
			return
		}
	}
	if n.Is("else_clause") {
		if ss := bodyOf(p, n); len(ss) == 1 && ss[0].Node.Is("pass_statement") {
			return
		}
	}
	if n.Is("case_clause") && n.Parent.Is("block") && p.f.Line(n.Start) == p.f.Line(n.Parent.Parent.Start) {
		return
	}
	first, last := p.f.Line(n.Start), p.f.LastLine(n.Start, n.End)
	if strings.TrimSpace(string(p.f.Source[p.f.LineStart(first):n.Start])) != "" {
		return
	}
	start, end := p.f.Span(first, last)
	p.offer(n, "delete "+strings.TrimSuffix(n.Kind, "_clause"), tree.Edit{Start: start, End: end})
}

// bodyOf returns the statements of a clause or compound statement.
func bodyOf(p *pass, n *lang.Node) []python.Statement {
	if b := n.First("block"); b != nil {
		return python.Statements(p.f, b)
	}
	return nil
}
