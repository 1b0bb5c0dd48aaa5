package python

import "breakfix/internal/lang"

// Bound reports whether a name that can be read at n has a value on every path
// that leads there: a parameter, or bound by a statement before n that always
// runs. What an enclosing function or the module binds counts where it is bound
// when the function is made.
func (a *Analysis) Bound(b Binding, n *lang.Node) bool {
	if b.Kind == Parameter || b.To > 0 {
		return true
	}
	if !b.Scope.Function {
		return true // of the module or a class: bound while the file is loaded
	}
	for p := n.Parent; p != nil; n, p = p, p.Parent {
		if p == b.Scope.Node {
			return false
		}
		switch {
		case IsBlock(p):
			switch a.before(b.Name, n) {
			case always:
				return true
			case gone:
				return false
			}
		case p.Is("for_statement") && n.Field == "body":
			if a.binds(p.Child("left"), b.Name) {
				return true
			}
		case p.Is("with_statement") && n.Field == "body":
			if c := p.First("with_clause"); c != nil && a.binds(c, b.Name) {
				return true
			}
		case p.Is("except_clause") && n.Is("block"):
			if v := p.Child("value"); v.Is("as_pattern") && a.binds(v, b.Name) {
				return true
			}
		case p.Is("try_statement") && n.Is("else_clause"):
			if body := p.Child("body"); body != nil && a.block(body, b.Name) == always {
				return true
			}
		case p.Is("case_clause") && n.Field == "consequence":
			if b.At >= p.Start && b.At < n.Start {
				return true
			}
		}
	}
	return false
}

// fate is what statements do to a name.
type fate int

const (
	perhaps fate = iota // it may be bound, or not
	always              // it is bound when they are through, if they get through
	gone                // it was deleted
)

// before tells what the statements in front of n in its block do to a name.
func (a *Analysis) before(name string, n *lang.Node) fate {
	for s := n.Prev(); s != nil; s = s.Prev() {
		if fate := a.statement(s, name); fate != perhaps {
			return fate
		}
	}
	return perhaps
}

func (a *Analysis) block(b *lang.Node, name string) fate {
	cs := b.NamedChildren()
	for i := len(cs) - 1; i >= 0; i-- {
		if fate := a.statement(cs[i], name); fate != perhaps {
			return fate
		}
	}
	return perhaps
}

func (a *Analysis) statement(s *lang.Node, name string) fate {
	bound := func(yes bool) fate {
		if yes {
			return always
		}
		return perhaps
	}
	switch s.Kind {
	case "return_statement", "raise_statement", "continue_statement", "break_statement":
		return always // nothing comes after it
	case "expression_statement":
		for _, c := range s.NamedChildren() {
			if c.Is("assignment", "augmented_assignment") && c.Child("right") != nil && a.binds(c.Child("left"), name) {
				return always
			}
			for r := c; r.Is("assignment"); r = r.Child("right") { // a = b = 1
				if r.Child("right") != nil && a.binds(r.Child("left"), name) {
					return always
				}
			}
		}
	case "delete_statement":
		for _, c := range s.NamedChildren() {
			if c.Is("identifier") && a.File.Text(c) == name {
				return gone
			}
		}
	case "function_definition", "class_definition":
		return bound(a.File.Text(s.Child("name")) == name)
	case "decorated_definition":
		return a.statement(s.Child("definition"), name)
	case "import_statement", "import_from_statement":
		for _, b := range a.ScopeAt(s.Start).Bindings {
			if b.Kind == Import && b.Name == name && b.At >= s.Start && b.At < s.End {
				return always
			}
		}
	case "with_statement":
		if c := s.First("with_clause"); c != nil && a.binds(c, name) {
			return always
		}
		return a.block(s.Child("body"), name)
	case "if_statement":
		return a.branches(s, name)
	case "try_statement":
		return a.try(s, name)
	}
	return perhaps
}

// branches: a name is bound after an if when each arm binds it or leaves.
func (a *Analysis) branches(s *lang.Node, name string) fate {
	arms := []*lang.Node{s.Child("consequence")}
	whole := false
	for _, alt := range s.ChildrenOf("alternative") {
		if alt.Is("else_clause") {
			arms, whole = append(arms, alt.Child("body")), true
		} else {
			arms = append(arms, alt.Child("consequence"))
		}
	}
	if !whole {
		return perhaps
	}
	for _, arm := range arms {
		if arm == nil || a.block(arm, name) != always {
			return perhaps
		}
	}
	return always
}

func (a *Analysis) try(s *lang.Node, name string) fate {
	body := s.Child("body")
	if body == nil {
		return perhaps
	}
	tried := a.block(body, name)
	handled := true
	for _, c := range s.Children {
		b := c.First("block")
		switch {
		case b == nil:
		case c.Is("finally_clause"):
			if a.block(b, name) == always {
				return always
			}
		case c.Is("else_clause"):
			if tried == perhaps {
				tried = a.block(b, name)
			}
		case c.Is("except_clause", "except_group_clause"):
			handled = handled && a.block(b, name) == always
		}
	}
	if tried == always && handled {
		return always
	}
	return perhaps
}

// binds reports whether a target, or a part of it, is the name.
func (a *Analysis) binds(target *lang.Node, name string) bool {
	found := false
	if target == nil {
		return false
	}
	target.Walk(func(c *lang.Node) bool {
		switch {
		case c.Is("with_item") && c.Child("value").Is("as_pattern"):
			found = found || a.binds(c.Child("value").Child("alias"), name)
			return false
		case c.Is("as_pattern"):
			found = found || a.binds(c.Child("alias"), name)
			return false
		case c.Is("with_item", "attribute", "subscript", "call"):
			return false
		case c.Is("identifier") && a.File.Text(c) == name:
			found = true
		}
		return !found
	})
	return found
}
