package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
)

// atEnd reports whether nothing comes after the statement n but the end of its
// function, or with loop that of the turn of its loop.
func atEnd(n *lang.Node, loop bool) bool {
	for {
		for s := n.Next(); s != nil; s = s.Next() {
			if n.Parent.Is("block", "module") && python.IsStatement(s) {
				return false
			}
		}
		b := n.Parent
		if !b.Is("block") {
			return false
		}
		switch up := b.Parent; {
		case up.Is("function_definition"):
			return !loop
		case up.Is("for_statement", "while_statement"):
			return loop && b.Field == "body"
		case up.Is("if_statement"):
			n = up
		case up.Is("elif_clause", "else_clause") && up.Parent.Is("if_statement"):
			n = up.Parent
		case up.Is("except_clause") && up.Parent.First("finally_clause") == nil:
			n = up.Parent
		default:
			return false
		}
	}
}

// needless reports whether to leave by jump, a statement in the branch of
// branching, comes to the same as to go on behind branching.
func needless(p *pass, branching, jump *lang.Node) bool {
	switch jump.Kind {
	case "return_statement":
		if v := jump.NamedChildren(); len(v) == 0 || v[0].Is("none") {
			if atEnd(branching, false) {
				return true
			}
		}
	case "continue_statement":
		if atEnd(branching, true) {
			return true
		}
	}
	next := branching.Next()
	for next.Is("comment") {
		next = next.Next()
	}
	return next != nil && p.text(next) == p.text(jump)
}

// tie reports whether both sides of an order come to the same where they are
// equal, so that whether the boundary is in does not matter; or whether they
// are never equal in practice.
func (p *pass) tie(n *lang.Node) bool {
	cs := n.NamedChildren()
	if len(cs) != 2 {
		return false
	}
	a, b := p.text(cs[0]), p.text(cs[1])
	sides := func(x, y string) bool { return x == a && y == b || x == b && y == a }
	switch q := n.Parent; {
	case q.Is("conditional_expression") && condition(q) == n:
		vs := q.NamedChildren()
		if sides(p.text(vs[0]), p.text(vs[2])) {
			return true
		}
	case q.Is("if_statement") && n.Field == "condition" && q.Child("alternative") == nil && q.Child("consequence") != nil:
		if ss := python.Statements(p.f, q.Child("consequence")); len(ss) == 1 {
			left, right := soleAssignment(ss[0].Node)
			if left != nil && (sides(p.text(left), p.text(right)) || p.text(right) == "-"+p.text(left) && (b == "0" || a == "0")) {
				return true
			}
		}
	}
	never := false
	n.Walk(func(c *lang.Node) bool {
		switch c.Kind {
		case "float":
			t := strings.TrimRight(p.text(c), "0")
			never = never || !strings.HasSuffix(t, ".")
		case "identifier":
			switch p.text(c) {
			case "remaining", "elapsed", "deadline", "timeout", "endtime":
				never = true
			}
		case "call":
			switch fn := p.text(c.Child("function")); fn[strings.LastIndexByte(fn, '.')+1:] {
			case "time", "monotonic", "perf_counter", "process_time", "time_ns", "monotonic_ns", "timer", "now", "utcnow", "clock":
				never = true
			}
		}
		return !never
	})
	return never
}

// consumed reports whether what takes n in makes of it what n itself would be:
// a copy or a conversion in front of it shows nowhere.
func (p *pass) consumed(n *lang.Node) bool {
	q := n.Parent
	switch {
	case q.Is("for_in_clause") && n.Field == "right":
		return true
	case q.Is("for_statement") && n.Field == "right":
		// In a loop that changes what it goes through, the copy matters.
		inner := n
		if as := positional(n); n.Is("call") && len(as) == 1 {
			inner = as[0]
		}
		for inner.Is("call") && inner.Child("function").Is("attribute") {
			inner = inner.Child("function").Child("object")
		}
		return q.Child("body") != nil && !p.changes(q.Child("body"), p.text(inner), 0, true) && !p.calls(q.Child("body"), inner)
	case q.Is("list_splat"):
		return true
	case q.Is("argument_list") && q.Parent.Is("call"):
		switch name := callee(q.Parent); p.text(name) {
		case "sorted", "tuple", "list", "set", "frozenset", "sum", "min", "max", "any", "all", "enumerate", "zip", "iter", "map", "filter", "deque", "Counter", "extend", "join", "fromkeys", "len":
			return true
		}
	}
	return false
}

// calls reports whether a body calls something that could change the object on
// the far side: a method of self when it is an attribute of self.
func (p *pass) calls(body, object *lang.Node) bool {
	if !object.Is("attribute") {
		return false
	}
	found := false
	body.Walk(func(n *lang.Node) bool {
		if n.Is("call") {
			fn := n.Child("function")
			found = found || fn.Is("attribute") && p.text(fn.Child("object")) == p.text(object.Child("object"))
		}
		return !found
	})
	return found
}

// fresh reports whether n is a variable of a function that holds what only it
// can reach, and is not used again: a copy of it is as good as itself.
func (p *pass) fresh(n *lang.Node) bool {
	fn := p.a.FunctionAt(n.Start)
	if !n.Is("identifier") || fn == nil || n.Ancestor("for_statement", "while_statement", "lambda", "list_comprehension", "generator_expression", "dictionary_comprehension", "set_comprehension") != nil {
		return false
	}
	v := p.kinds.Sole(p.text(n), fn)
	if !v.Is("list", "dictionary", "set", "list_comprehension", "dictionary_comprehension", "set_comprehension") && !p.emptyContainer(v) {
		return false
	}
	again := false
	fn.Node.Walk(func(c *lang.Node) bool {
		again = again || c.Is("identifier") && p.text(c) == p.text(n) && (c.Start > n.Start || c.Ancestor("function_definition", "lambda") != fn.Node)
		return !again
	})
	return !again
}

// neutralTerm reports whether a term can go without a trace: + 0, * 1, + "".
func (p *pass) neutralTerm(op string, n *lang.Node) bool {
	switch t := p.text(n); op {
	case "+", "-", "|", "^", "<<", ">>":
		return t == "0" || t == `""` || t == "''" || t == "[]"
	case "*", "/", "//", "**":
		return t == "1"
	}
	return false
}
