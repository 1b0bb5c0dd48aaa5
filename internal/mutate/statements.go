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
			if fn := x.Child("function"); fn.Is("attribute") && !p.onlyReads(fn) {
				e.touches[p.text(fn.Child("object"))] = true
			}
		}
		return true
	})
	return e, true
}

// reading methods leave what they are called on as it was.
var reading = map[string]bool{}

func init() {
	for _, n := range strings.Fields(`get keys values items copy count index find rfind split rsplit splitlines strip lstrip rstrip lower upper title
		startswith endswith format join replace encode decode partition rpartition isdigit isalpha isspace group groups groupdict start end span
		match search fullmatch sub findall finditer compile union intersection difference issubset issuperset isoformat strftime total_seconds
		__contains__ __len__ qsize empty full done cancelled is_set locked`) {
		reading[n] = true
	}
}

// onlyReads reports whether calling fn, an attribute, surely leaves its object
// alone: it only reads, or the object is a module or a class.
func (p *pass) onlyReads(fn *lang.Node) bool {
	if reading[p.text(fn.Child("attribute"))] {
		return true
	}
	object := fn.Child("object")
	for object.Is("attribute") {
		object = object.Child("object")
	}
	if !object.Is("identifier") {
		return false
	}
	for _, b := range p.a.Names(fn.Start) {
		if b.Name == p.text(object) {
			return b.Kind == python.Import || b.Kind == python.Class
		}
	}
	return false
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
	case n.Is("delete_statement") && c.Is("identifier"):
		return // the name goes, which nobody reads any more
	case n.Is("delete_statement"):
		p.remove(n, "delete del")
	case c.Is("augmented_assignment"):
		p.remove(n, "delete "+c.Child("operator").Kind)
	case c.Is("assignment"):
		// Without its only assignment a name does not exist: a NameError is no
		// likeness of a real bug. Attributes and containers often have others.
		for w := range e.writes {
			if !strings.Contains(w, ".") && (!p.boundBefore(w, n) || p.dead(w, n)) {
				return
			}
			if strings.HasSuffix(w, ".__doc__") || strings.HasSuffix(w, ".__name__") || strings.HasSuffix(w, ".__qualname__") || strings.HasSuffix(w, ".__module__") {
				return // what a person reads
			}
		}
		p.remove(n, "delete assignment")
	case c.Is("call") && !p.noEffect(c) && !isClose(p, c) && !isLockCall(p, c) && !isNotify(p, c) && queueOperation(p, c) == "" && !p.keepsTask(c):
		p.remove(n, "delete call")
	case c.Is("await"):
		if call, _ := awaited(c); call == nil && p.kind(c.NamedChildren()[0]) == python.Task || call != nil && (queueOperation(p, call) != "" || p.asyncioCall(call) == "gather" || p.asyncioCall(call) == "wait" || p.asyncioCall(call) == "sleep") {
			return // dangling_task and channel_operation_change are that
		}
		p.remove(n, "delete await")
	}
}

// dead reports whether a function never reads a name: what is stored there shows
// nowhere.
func (p *pass) dead(name string, n *lang.Node) bool {
	fn := p.a.FunctionAt(n.Start)
	if fn == nil || p.a.ScopeAt(n.Start) != fn {
		return false
	}
	read := false
	fn.Node.Walk(func(c *lang.Node) bool {
		read = read || c.Is("identifier") && p.text(c) == name && loaded(c) || c.Is("nonlocal_statement", "global_statement")
		return !read
	})
	return !read
}

// noEffect reports whether a call as a statement does nothing that a result
// shows: it waits, flushes or collects, or initialises what has no base.
func (p *pass) noEffect(call *lang.Node) bool {
	switch p.text(call.Child("function")) {
	case "time.sleep", "sleep", "gc.collect", "os.fsync", "sys.stdout.flush", "sys.stderr.flush":
		return true
	case "super().__init__":
		c := p.a.ClassAt(call.Start)
		return c != nil && c.Node.Child("superclasses") == nil
	}
	return false
}

func (p *pass) boundBefore(name string, n *lang.Node) bool {
	for _, b := range p.a.Names(n.Start) {
		if b.Name == name && (b.Scope == p.a.ScopeAt(n.Start)) {
			return true
		}
	}
	return false
}
