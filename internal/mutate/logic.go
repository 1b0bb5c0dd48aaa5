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
	to := map[string]string{"and": "or", "or": "and"}[op.Kind]
	p.offer(n, op.Kind+" → "+to, tree.Edit{Start: op.Start, End: op.End, New: to})
}

func forceCondition(p *pass, n *lang.Node) {
	c := condition(n)
	if c == nil || c.Is("true", "false") {
		return
	}
	if !n.Is("while_statement") { // "while True" where nothing breaks is only a hang
		p.replace(c, "True", "True")
	}
	p.replace(c, "False", "False")
}

func subcondition(p *pass, n *lang.Node) {
	op := n.Child("operator").Kind
	if op == "or" && !decides(n) && !isTest(n.Child("left")) {
		return // null_default_removal is that
	}
	p.replace(n, "drop "+op+" "+p.text(n.Child("right")), p.text(n.Child("left")))
	p.replace(n, "drop "+p.text(n.Child("left"))+" "+op, p.text(n.Child("right")))
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
	if g := guard(p, n); g != nil && !sentinelTest(p, n) {
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

func loopChange(p *pass, n *lang.Node) {
	body := n.Child("body")
	if body == nil {
		return
	}
	ss := python.Statements(p.f, body)
	if len(ss) == 0 {
		return
	}
	it := n.Child("right")
	if n.Is("for_statement") && !n.Children[0].Is("async") && it != nil {
		p.replace(it, "no iteration", "()")
		if it.Is("expression_list") {
			it = nil
		}
	}
	if n.Is("for_statement") && it != nil && !n.Children[0].Is("async") {
		switch name := p.text(it.Child("function")); {
		case it.Is("call") && name == "reversed":
		case it.Is("call") && name == "range" || it.Is("list", "tuple"):
			p.replace(it, "reversed", "reversed("+p.text(it)+")")
		case it.Is("call") && name == "sorted" && len(positional(it)) == 1 && len(it.Child("arguments").NamedChildren()) == 1:
			p.replace(it, "reversed", "sorted("+p.text(positional(it)[0])+", reverse=True)")
		case it.Is("identifier", "attribute", "call"):
			p.replace(it, "reversed", "reversed(list("+p.text(it)+"))")
		}
	}
	last := ss[len(ss)-1]
	if !last.OwnLines || last.Node.Is("break_statement", "return_statement", "raise_statement", "continue_statement") {
		return
	}
	nl := python.Newline(p.f)
	_, end := p.f.Span(last.LastLine, last.LastLine)
	text := python.Indent(p.f, ss[0].Start) + "break" + nl
	if end > 0 && p.f.Source[end-1] != '\n' {
		text = nl + strings.TrimSuffix(text, nl)
	}
	p.offer(n, "one iteration", tree.Edit{Start: end, End: end, New: text})
}

func reversedDrop(p *pass, n *lang.Node) {
	if as := positional(n); p.text(n.Child("function")) == "reversed" && len(as) == 1 {
		p.replace(n, "drop reversed", p.text(as[0]))
	}
}

func jumpSwap(p *pass, n *lang.Node) {
	loop := n.Ancestor("for_statement", "while_statement", "function_definition", "lambda", "class_definition")
	if !loop.Is("for_statement", "while_statement") || insideElse(n, loop) {
		return
	}
	inFunction := loop.Ancestor("function_definition", "class_definition").Is("function_definition")
	switch n.Kind {
	case "break_statement":
		p.replace(n, "break → continue", "continue")
		if inFunction {
			p.replace(n, "break → return", "return")
		}
	case "continue_statement":
		p.replace(n, "continue → break", "break")
	case "return_statement":
		if len(n.NamedChildren()) == 0 {
			p.replace(n, "return → continue", "continue")
			p.replace(n, "return → break", "break")
		}
	}
}

// insideElse: the else of a loop is not in the loop.
func insideElse(n, loop *lang.Node) bool {
	for p := n; p != loop; p = p.Parent {
		if p.Is("else_clause") && p.Parent == loop {
			return true
		}
	}
	return false
}
