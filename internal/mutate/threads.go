package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// lockTwice offers a lock that is acquired again where it is held, and one
// that is never released.
func lockTwice(p *pass, n *lang.Node) {
	values, targets := withItems(n)
	body := n.Child("body")
	if body == nil {
		return
	}
	wait := ""
	if n.Children[0].Is("async") {
		wait = "await "
	}
	ss := python.Statements(p.f, body)
	for i, v := range values {
		if !p.lockLike(v) || targets[i] != nil || len(ss) == 0 || !ss[0].OwnLines {
			continue
		}
		at := ss[0].Start
		acquire := wait + p.text(v) + ".acquire()"
		if p.text(ss[0].Node) == acquire {
			p.remove(ss[0].Node, "do not acquire "+p.text(v)+" again") // the way back
			continue
		}
		p.offer(n, "acquire "+p.text(v)+" again", tree.Edit{Start: at, End: at, New: acquire + python.Newline(p.f) + python.Indent(p.f, at)})
		if len(values) == 1 {
			if e, ok := p.unwrap(n, acquire); ok {
				p.offer(n, "never release "+p.text(v), e)
			}
		}
	}
}

// lockOrder offers two locks taken in the other order, in one with or nested.
func lockOrder(p *pass, n *lang.Node) {
	values, _ := withItems(n)
	var locks []*lang.Node
	for _, v := range values {
		if p.lockLike(v) {
			locks = append(locks, v)
		}
	}
	if len(locks) == 0 {
		return
	}
	if len(locks) >= 2 {
		p.swap(n, "take "+p.text(locks[1])+" before "+p.text(locks[0]), locks[0], locks[1])
		return
	}
	if body := n.Child("body"); body != nil {
		for _, s := range python.Statements(p.f, body) {
			if s.Node.Is("with_statement") {
				if inner, _ := withItems(s.Node); len(inner) == 1 && p.lockLike(inner[0]) {
					p.swap(n, "take "+p.text(inner[0])+" before "+p.text(locks[0]), locks[0], inner[0])
				}
			}
		}
	}
}

// isLockCall: lock.acquire() or lock.release().
func isLockCall(p *pass, call *lang.Node) bool {
	fn := call.Child("function")
	if !fn.Is("attribute") {
		return false
	}
	name := p.text(fn.Child("attribute"))
	return (name == "acquire" || name == "release") && p.lockLike(fn.Child("object"))
}

func releaseSkip(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 1 || !cs[0].Is("call") || !isLockCall(p, cs[0]) {
		return
	}
	object := p.text(cs[0].Child("function").Child("object"))
	if strings.HasSuffix(p.text(cs[0].Child("function")), ".release") {
		p.remove(n, "do not release "+object)
	} else if s := python.NewStatement(p.f, n); s.OwnLines {
		p.offer(n, "acquire "+object+" again", tree.Edit{Start: n.End, End: n.End, New: python.Newline(p.f) + python.Indent(p.f, n.Start) + p.text(n)})
		p.remove(n, "do not acquire "+object)
	}
}

func lockRemoval(p *pass, n *lang.Node) {
	values, targets := withItems(n)
	if len(values) != 1 || targets[0] != nil || !p.lockLike(values[0]) {
		return
	}
	if e, ok := p.unwrap(n, ""); ok {
		p.offer(n, "drop "+p.text(values[0]), e)
	}
}

func isNotify(p *pass, call *lang.Node) bool {
	name := callee(call)
	if name == nil || name.Field != "attribute" {
		return false
	}
	switch p.text(name) {
	case "notify", "notify_all", "wait", "wait_for", "set", "clear":
		return p.lockLike(call.Child("function").Child("object")) || strings.HasSuffix(strings.ToLower(p.text(call.Child("function").Child("object"))), "event")
	}
	return false
}

func waitNotify(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 1 || !cs[0].Is("call") || !isNotify(p, cs[0]) {
		return
	}
	name := callee(cs[0])
	p.remove(n, "drop "+p.text(name))
	switch p.text(name) {
	case "notify_all":
		p.offer(n, "notify_all → notify", tree.Edit{Start: name.Start, End: name.End, New: "notify"})
	case "notify":
		p.offer(n, "notify → notify_all", tree.Edit{Start: name.Start, End: name.End, New: "notify_all"})
	}
}
