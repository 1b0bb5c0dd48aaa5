package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// unwrap returns the edits that replace a with statement by its body, with
// lead (a statement, or "") in front. It is false when the body cannot be
// moved to the left.
func (p *pass) unwrap(n *lang.Node, lead string) (tree.Edit, bool) {
	body := n.Child("body")
	if body == nil || n.Parent == nil {
		return tree.Edit{}, false
	}
	ss := python.Statements(p.f, body)
	whole := python.NewStatement(p.f, n)
	if len(ss) == 0 || !whole.OwnLines || ss[0].FirstLine == whole.FirstLine {
		return tree.Edit{}, false
	}
	// Comments between the header and the first statement move along.
	first := ss[0].FirstLine
	for first > whole.FirstLine+1 && strings.HasPrefix(strings.TrimSpace(p.line(first-1)), "#") {
		first--
	}
	indent := python.Indent(p.f, n.Start)
	text, ok := python.Dedent(p.f, first, whole.LastLine, python.Indent(p.f, ss[0].Start), indent)
	if !ok {
		return tree.Edit{}, false
	}
	if lead != "" {
		text = indent + lead + python.Newline(p.f) + text
	}
	start, end := p.f.Span(whole.FirstLine, whole.LastLine)
	return tree.Edit{Start: start, End: end, New: text}, true
}

func (p *pass) line(n int) string {
	start, end := p.f.Span(n, n)
	return string(p.f.Source[start:end])
}

// withItems returns the values of a with statement and their "as" targets.
func withItems(n *lang.Node) (values, targets []*lang.Node) {
	clause := n.First("with_clause")
	if clause == nil {
		return nil, nil
	}
	clause.Walk(func(c *lang.Node) bool {
		if !c.Is("with_item") {
			return true
		}
		v := c.Child("value")
		var target *lang.Node
		if v.Is("as_pattern") {
			target = v.Child("alias")
			v = v.NamedChildren()[0]
		}
		values, targets = append(values, v), append(targets, target)
		return false
	})
	return values, targets
}

func withRemoval(p *pass, n *lang.Node) {
	values, targets := withItems(n)
	if len(values) != 1 || p.lockLike(values[0]) || n.Children[0].Is("async") {
		return
	}
	lead := p.text(values[0])
	if targets[0] != nil {
		lead = p.text(targets[0]) + " = " + lead
	}
	if !values[0].Is("call") && targets[0] == nil {
		lead = ""
	}
	if e, ok := p.unwrap(n, lead); ok {
		p.offer(n, "drop with "+p.text(values[0]), e)
	}
}

func finallyRemoval(p *pass, n *lang.Node) {
	ss := bodyOf(p, n)
	if len(ss) == 0 || len(ss) == 1 && ss[0].Node.Is("pass_statement") {
		return
	}
	if len(ss) == 1 && ss[0].Node.Is("with_statement") {
		return // its own operators are finer
	}
	p.offer(n, "empty finally", tree.Edit{Start: ss[0].Start, End: ss[len(ss)-1].End, New: "pass"})
}

func isClose(p *pass, call *lang.Node) bool {
	name := callee(call)
	if name == nil || name.Field != "attribute" {
		return false
	}
	switch p.text(name) {
	case "close", "cleanup", "shutdown", "stop", "flush", "join", "terminate", "unlink", "restore", "reset", "disconnect", "dispose", "__exit__", "cancel":
		return len(positional(call)) == 0
	}
	return false
}

func closeRemoval(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 1 {
		return
	}
	c := cs[0]
	if c.Is("await") && len(c.NamedChildren()) == 1 {
		c = c.NamedChildren()[0]
	}
	if c.Is("call") && isClose(p, c) && queueOperation(p, c) == "" {
		p.remove(n, "delete "+p.text(callee(c)))
	}
}
