package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

func swallow(p *pass, n *lang.Node) {
	ss := bodyOf(p, n)
	if len(ss) == 0 {
		return
	}
	if len(ss) == 1 && (ss[0].Node.Is("pass_statement") || n.Parent.Is("try_statement") && needless(p, n.Parent, ss[0].Node)) {
		return
	}
	p.offer(n, "ignore the exception", tree.Edit{Start: ss[0].Start, End: ss[len(ss)-1].End, New: "pass"})
	if last := ss[len(ss)-1]; len(ss) > 1 && last.Node.Is("raise_statement") {
		p.remove(last.Node, "do not raise again")
	}
}

// neighbour is the type that is mistaken for each type of exception.
var neighbour = map[string]string{
	"KeyError": "IndexError", "IndexError": "KeyError", "ValueError": "TypeError", "TypeError": "ValueError", "AttributeError": "KeyError",
	"OSError": "ValueError", "IOError": "ValueError", "FileNotFoundError": "FileExistsError", "FileExistsError": "FileNotFoundError",
	"StopIteration": "IndexError", "RuntimeError": "ValueError", "NotImplementedError": "RuntimeError", "UnicodeDecodeError": "UnicodeEncodeError",
	"UnicodeEncodeError": "UnicodeDecodeError", "ImportError": "AttributeError", "ModuleNotFoundError": "AttributeError", "ZeroDivisionError": "ValueError",
	"OverflowError": "ValueError", "LookupError": "ValueError", "TimeoutError": "ConnectionError", "Exception": "ValueError", "AssertionError": "ValueError",
}

// wider types catch more.
var wider = map[string]string{"KeyError": "LookupError", "IndexError": "LookupError", "ValueError": "Exception", "TypeError": "Exception", "AttributeError": "Exception"}

func handlerType(p *pass, n *lang.Node) {
	v := n.Child("value")
	if v.Is("as_pattern") {
		v = v.NamedChildren()[0]
	}
	if v == nil {
		return
	}
	names := []*lang.Node{v}
	if v.Is("tuple") {
		names = v.NamedChildren()
		if len(names) > 2 {
			names = names[:2]
		}
	}
	for _, t := range names {
		if to := neighbour[p.text(t)]; to != "" && !strings.Contains(p.text(v), to) {
			p.offer(n, p.text(t)+" → "+to, tree.Edit{Start: t.Start, End: t.End, New: to})
		}
		if to := wider[p.text(t)]; to != "" && len(names) == 1 {
			p.offer(n, p.text(t)+" → "+to, tree.Edit{Start: t.Start, End: t.End, New: to})
		}
	}
}

func raisedType(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) == 0 {
		return
	}
	t := cs[0]
	if t.Is("call") {
		t = t.Child("function")
	}
	if to := neighbour[p.text(t)]; to != "" {
		p.offer(n, "raise "+p.text(t)+" → "+to, tree.Edit{Start: t.Start, End: t.End, New: to})
	}
}

// sentinelTest reports whether an if tests the name that the statement before
// it got from a call, or an attribute or subscript, for a value that means
// failure.
func sentinelTest(p *pass, n *lang.Node) bool {
	c := n.Child("condition")
	for c.Is("parenthesized_expression") && len(c.NamedChildren()) == 1 {
		c = c.NamedChildren()[0]
	}
	name := ""
	switch {
	case c.Is("not_operator"):
		name = p.text(c.Child("argument"))
	case c.Is("comparison_operator") && len(c.NamedChildren()) == 2:
		r := p.text(c.NamedChildren()[1])
		op := p.operator(c)
		if op == "is" || op == "==" && (r == "-1" || r == "None" || r == `""`) || op == "<" && r == "0" {
			name = p.text(c.NamedChildren()[0])
		}
	}
	if name == "" {
		return false
	}
	prev := n.Prev()
	for prev.Is("comment") {
		prev = prev.Prev()
	}
	if !prev.Is("expression_statement") || len(prev.NamedChildren()) != 1 {
		return false
	}
	a := prev.NamedChildren()[0]
	right := a.Child("right")
	if right.Is("await") {
		right = right.NamedChildren()[0]
	}
	return a.Is("assignment") && p.text(a.Child("left")) == name && right.Is("call")
}

func sentinelRemoval(p *pass, n *lang.Node) {
	if n.Child("alternative") == nil && n.Child("consequence") != nil && sentinelTest(p, n) {
		if ss := python.Statements(p.f, n.Child("consequence")); len(ss) <= 3 {
			p.remove(n, "drop the test "+p.text(n.Child("condition")))
		}
	}
}
