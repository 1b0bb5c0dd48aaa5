package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

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
	if it.Is("list", "tuple") && len(it.NamedChildren()) == 1 {
		return
	}
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
		case it.Is("identifier", "attribute", "call") && p.ordered(n, it):
			p.replace(it, "reversed", "reversed(list("+p.text(it)+"))")
		}
	}
	last := ss[len(ss)-1]
	if n.Is("while_statement") && p.waitsInside(body) {
		return // what wakes it has nearly always happened
	}
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

// waitsInside reports whether a body waits for what another thread or task does.
func (p *pass) waitsInside(body *lang.Node) bool {
	found := false
	body.Walk(func(n *lang.Node) bool {
		found = found || n.Is("call") && (p.text(callee(n)) == "wait" || p.text(callee(n)) == "acquire")
		return !found
	})
	return found
}

// ordered reports whether the order of a loop can show: it goes through what
// has one, and each turn does more than to look, count or fill a set or
// dictionary.
func (p *pass) ordered(loop, it *lang.Node) bool {
	if kind := p.kind(it); kind == python.Set || kind == python.Dict {
		return false
	}
	if it.Is("call") && it.Child("function").Is("attribute") {
		switch p.text(callee(it)) {
		case "keys", "values", "items":
			return false
		}
	}
	shows := false
	loop.Child("body").Walk(func(n *lang.Node) bool {
		switch n.Kind {
		case "break_statement", "yield":
			shows = true
		case "return_statement":
			shows = shows || len(n.NamedChildren()) > 0 && !n.NamedChildren()[0].Is("true", "false", "none")
		case "call":
			switch p.text(callee(n)) {
			case "append", "extend", "write", "insert", "appendleft", "put", "send":
				shows = true
			}
		case "augmented_assignment":
			shows = shows || p.kind(n.Child("right")).Ordered()
		case "assignment":
			shows = shows || n.Child("left").Is("identifier", "attribute") && p.changesItself(n)
		}
		return !shows
	})
	return shows
}

// changesItself: the value comes from what it was.
func (p *pass) changesItself(n *lang.Node) bool {
	found := false
	if r := n.Child("right"); r != nil {
		r.Walk(func(c *lang.Node) bool {
			found = found || c.Is("identifier", "attribute") && p.text(c) == p.text(n.Child("left"))
			return !found
		})
	}
	return found
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
		if inFunction && !atEnd(loop, false) {
			p.replace(n, "break → return", "return")
		}
	case "continue_statement":
		p.replace(n, "continue → break", "break")
	case "return_statement":
		if len(n.NamedChildren()) == 0 {
			p.replace(n, "return → continue", "continue")
			if !atEnd(loop, false) {
				p.replace(n, "return → break", "break")
			}
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
