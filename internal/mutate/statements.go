package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// effects are the texts of what a simple statement writes and reads: names,
// attributes, subscripted containers, and receivers of calls (which a call may
// change).
type effects struct{ writes, reads, touches map[string]bool }

func effectsOf(p *pass, n *lang.Node) (effects, bool) {
	e := effects{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	cs := n.NamedChildren()
	if !n.Is("expression_statement", "delete_statement") || len(cs) != 1 {
		return e, false
	}
	c := cs[0]
	if c.Is("string", "concatenated_string", "ellipsis", "yield", "await") {
		return e, false
	}
	var target func(t *lang.Node)
	target = func(t *lang.Node) {
		switch t.Kind {
		case "identifier", "attribute":
			e.writes[p.text(t)] = true
		case "subscript":
			e.touches[p.text(t.Child("value"))] = true
		default:
			for _, x := range t.NamedChildren() {
				target(x)
			}
		}
	}
	if c.Is("assignment", "augmented_assignment") {
		if c.Child("right") == nil {
			return e, false // an annotation alone
		}
		target(c.Child("left"))
	} else if n.Is("delete_statement") {
		target(c)
	} else if !c.Is("call") {
		return e, false
	}
	c.Walk(func(x *lang.Node) bool {
		if x.Is("lambda", "type") {
			return false
		}
		if x.Field == "left" && c.Is("assignment") && x.Parent == c {
			return false
		}
		switch x.Kind {
		case "identifier":
			if !(x.Field == "attribute" && x.Parent.Is("attribute")) && !(x.Field == "name" && x.Parent.Is("keyword_argument")) {
				e.reads[p.text(x)] = true
			}
		case "attribute":
			e.reads[p.text(x)] = true
		case "call":
			if fn := x.Child("function"); fn.Is("attribute") {
				e.touches[p.text(fn.Child("object"))] = true
			}
		}
		return true
	})
	return e, true
}

func intersect(a, b map[string]bool) bool {
	for k := range a {
		if b[k] && k != "self" && k != "cls" {
			return true
		}
	}
	return false
}

func (e effects) dependOn(o effects) bool {
	return intersect(e.writes, o.reads) || intersect(e.writes, o.writes) || intersect(e.reads, o.writes) ||
		intersect(e.touches, o.reads) || intersect(e.reads, o.touches) || intersect(e.touches, o.touches)
}

// reorder offers neighbours that depend on each other in the other order. Two
// that do not could be exchanged without anybody noticing.
func reorder(p *pass, block *lang.Node) {
	ss := python.Statements(p.f, block)
	for i := 0; i+1 < len(ss); i++ {
		a, b := ss[i], ss[i+1]
		if !a.OwnLines || !b.OwnLines || p.a.InertNode(a.Node) != "" || p.a.InertNode(b.Node) != "" || p.text(a.Node) == p.text(b.Node) {
			continue
		}
		ea, ok := effectsOf(p, a.Node)
		eb, ok2 := effectsOf(p, b.Node)
		if !ok || !ok2 || !ea.dependOn(eb) {
			continue
		}
		p.offer(a.Node, "swap with the next statement", tree.Edit{Start: a.Start, End: a.End, New: p.text(b.Node)}, tree.Edit{Start: b.Start, End: b.End, New: p.text(a.Node)})
	}
}

func deleteStatement(p *pass, n *lang.Node) {
	if n.Is("raise_statement") {
		if b := n.Parent; b.Is("block") && b.Parent.Is("except_clause", "if_statement", "function_definition") && len(python.Statements(p.f, b)) == 1 {
			return // other operators are that, or it is all there is
		}
		p.remove(n, "delete raise")
		return
	}
	e, ok := effectsOf(p, n)
	if !ok {
		if cs := n.NamedChildren(); len(cs) != 1 || !cs[0].Is("await") {
			return
		}
	}
	c := n.NamedChildren()[0]
	switch {
	case n.Is("delete_statement"):
		p.remove(n, "delete del")
	case c.Is("augmented_assignment"):
		p.remove(n, "delete "+c.Child("operator").Kind)
	case c.Is("assignment"):
		// Without its only assignment a name does not exist: a NameError is no
		// likeness of a real bug. Attributes and containers often have others.
		for w := range e.writes {
			if !strings.Contains(w, ".") && !p.boundBefore(w, n) {
				return
			}
		}
		p.remove(n, "delete assignment")
	case c.Is("call") && !isClose(p, c) && !isLockCall(p, c) && !isNotify(p, c):
		p.remove(n, "delete call")
	case c.Is("await"):
		p.remove(n, "delete await")
	}
}

func (p *pass) boundBefore(name string, n *lang.Node) bool {
	for _, b := range p.a.Names(n.Start) {
		if b.Name == name && (b.Scope == p.a.ScopeAt(n.Start)) {
			return true
		}
	}
	return false
}
