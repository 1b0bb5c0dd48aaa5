package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// queueLike reports whether an expression is a queue: by its kind, else by its
// last name. In a class that is a queue, self is one.
func (p *pass) queueLike(n *lang.Node) bool {
	switch kind := p.kind(n); {
	case kind == python.Queue:
		return true
	case kind != python.Unknown && kind != python.Absent && !strings.HasSuffix(strings.ToLower(string(kind)), "queue"):
		return false
	case !n.Is("identifier", "attribute"):
		return false
	}
	if p.text(n) == "self" || p.text(n) == "super()" {
		c := p.a.ClassAt(n.Start)
		return c != nil && strings.HasSuffix(strings.ToLower(p.text(c.Node.Child("name"))), "queue")
	}
	ws := words(p.text(n))
	for _, w := range ws {
		switch w {
		case "queue", "queues", "q", "channel", "chan", "inbox", "outbox", "mailbox", "pipe":
			return true
		}
	}
	return false
}

// queueOperation is the name of the operation on a queue that a call is, "" if
// it is none.
func queueOperation(p *pass, call *lang.Node) string {
	fn := call.Child("function")
	if !call.Is("call") || !fn.Is("attribute") {
		return ""
	}
	name := p.text(fn.Child("attribute"))
	switch strings.TrimSuffix(strings.TrimLeft(name, "_"), "_internal") {
	case "put", "put_nowait", "get", "get_nowait", "send", "send_nowait", "task_done", "join", "close", "shutdown", "aclose":
	default:
		return ""
	}
	as := positional(call)
	if !p.queueLike(fn.Child("object")) || name == "get" && len(as) > 0 && !as[0].Is("true", "false") {
		return "" // d.get(key) of a dictionary that is called a queue
	}
	return name
}

// awaited returns the call of "await call" too, and whether it is awaited.
func awaited(n *lang.Node) (call *lang.Node, waits bool) {
	if n.Is("await") && len(n.NamedChildren()) == 1 {
		n, waits = n.NamedChildren()[0], true
	}
	if !n.Is("call") {
		return nil, waits
	}
	return n, waits
}

// queueStatement drops an operation that is a statement.
func queueStatement(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 1 {
		return
	}
	call, _ := awaited(cs[0])
	if call == nil {
		return
	}
	if op := queueOperation(p, call); op != "" {
		p.remove(n, "drop "+op)
	}
}

// queueCall exchanges what waits and what does not, both ways, and takes an
// item from or gives it to the other end.
func queueCall(p *pass, n *lang.Node) {
	op := queueOperation(p, n)
	if op == "" {
		return
	}
	name := callee(n)
	args := n.Child("arguments")
	if !args.Is("argument_list") {
		return
	}
	waits := n.Parent.Is("await")
	switch op {
	case "get", "put":
		// With a deadline it waits at most so long; without waiting, not at all.
		var edits []tree.Edit
		if waits {
			edits = append(edits, tree.Edit{Start: n.Parent.Start, End: n.Start})
		} else if python.Kind(p.text(args)) == "()" && p.kind(n.Child("function").Child("object")) == python.Unknown && inAsync(n) {
			return // handed on to be awaited elsewhere, perhaps
		}
		keep := 0
		if op == "put" {
			keep = 1
		}
		all := args.NamedChildren()
		if len(all) < keep {
			return
		}
		edits = append(edits, tree.Edit{Start: name.Start, End: name.End, New: op + "_nowait"})
		if len(all) > keep {
			from := all[keep].Start
			if keep > 0 {
				from = all[keep-1].End
			}
			edits = append(edits, tree.Edit{Start: from, End: all[len(all)-1].End})
		}
		p.offer(n, op+" → "+op+"_nowait", edits...)
	case "get_nowait", "put_nowait":
		base := strings.TrimSuffix(op, "_nowait")
		if inAsync(n) {
			p.offer(n, op+" → await "+base, tree.Edit{Start: n.Start, End: n.Start, New: "await "}, tree.Edit{Start: name.Start, End: name.End, New: base})
		} else {
			p.offer(n, op+" → "+base, tree.Edit{Start: name.Start, End: name.End, New: base})
		}
	}
}
