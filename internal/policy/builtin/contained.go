package builtin

import (
	"slices"
	"strings"

	"breakfix/internal/arena"
)

// effects tells by their form which expressions change nothing when they are evaluated. own are
// functions of the file that may be called, too.
type effects struct {
	src []byte
	own map[string]bool
}

// harmless reports whether a node is an expression whose evaluation changes
// nothing, by its form.
func (e *effects) harmless(n *node) bool {
	switch n.kind {
	case "identifier", "integer", "float", "true", "false", "none":
		return true
	case "string":
		ok := true
		n.walk(func(k *node) bool {
			if k.kind == "interpolation" {
				of := k.child("expression")
				ok = ok && of != nil && e.harmless(of)
			}
			return ok
		})
		return ok
	case "call":
		f, args := n.child("function"), n.child("arguments")
		if f == nil || args == nil || args.kind != "argument_list" && args.kind != "generator_expression" {
			return false
		}
		switch f.kind {
		case "identifier":
			if name := f.text(e.src); !arena.Harmless(name, false) && !e.own[name] {
				return false
			}
		case "attribute":
			name, object := f.child("attribute"), f.child("object")
			if name == nil || object == nil || !arena.Harmless(name.text(e.src), true) && !e.own["."+name.text(e.src)] || !e.harmless(object) {
				return false
			}
		default:
			return false
		}
		return e.harmless(args)
	case "attribute":
		object := n.child("object")
		return object != nil && e.harmless(object)
	case "keyword_argument":
		value := n.child("value")
		return value != nil && e.harmless(value)
	case "binary_operator", "boolean_operator", "not_operator", "unary_operator", "comparison_operator", "parenthesized_expression", "tuple", "list",
		"dictionary", "set", "pair", "subscript", "slice", "conditional_expression", "argument_list", "concatenated_string", "expression_list":
		for _, k := range n.parts() {
			if !e.harmless(k) {
				return false
			}
		}
		return len(n.kids) > 0
	case "list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression":
		ok := true
		n.walk(func(k *node) bool {
			switch k.kind {
			case "call", "string":
				ok = ok && e.harmless(k)
				return false
			case "await", "yield", "named_expression", "lambda":
				ok = false
			}
			return ok
		})
		return ok && (n.kind != "generator_expression" || n.parent.kind == "call")
	}
	return false
}

// calls reports whether one of the file's own functions is called in n.
func (e *effects) calls(n *node) bool {
	found := false
	n.walk(func(k *node) bool {
		found = found || k.kind == "call" && e.own[k.child("function").text(e.src)]
		return !found
	})
	return found
}

// contained lists functions of a file whose calls change nothing outside, by their form: they
// bind names of their own, fill collections that they made, and call nothing but such functions
// and what is harmless. A name that stands for something else in the file, too, is none of them.
func contained(root *node, src []byte) map[string]bool {
	defs, other := map[string][]*node{}, map[string]bool{}
	root.walk(func(n *node) bool {
		if n.kind == "function_definition" {
			if name := n.child("name"); name != nil {
				defs[name.text(src)] = append(defs[name.text(src)], n)
			}
		}
		if n.kind == "identifier" && (n.up("parameters", "lambda_parameters") != nil || n.field == "left" || n.parent.kind == "pattern_list") {
			other[n.text(src)] = true
		}
		return n.kind != "class_definition"
	})
	e := &effects{src, map[string]bool{}}
	for name, ns := range defs {
		e.own[name] = len(ns) == 1 && !other[name] && !arena.Harmless(name, false)
	}
	for again := true; again; { // what calls one that is none is none
		again = false
		for name, ns := range defs {
			if e.own[name] && !e.keepsToItself(ns[0]) {
				e.own[name], again = false, true
			}
		}
	}
	for name, is := range e.own {
		if !is {
			delete(e.own, name)
		}
	}
	return e.own
}

// keepsToItself reports whether a call of a function changes nothing outside.
func (e *effects) keepsToItself(f *node) bool {
	body, params := f.child("body"), f.child("parameters")
	if body == nil || params == nil || f.token("async") != nil || f.parent.kind == "decorated_definition" {
		return false
	}
	b := bodyOf{effects: e, made: e.made(body, params)}
	return b.block(body)
}

// bodyOf is the body of one function; made are the names that stand for nothing but what it
// made itself.
type bodyOf struct {
	*effects
	made map[string]bool
}

// made lists the names of a body that are bound to new collections, numbers or texts alone.
func (e *effects) made(body, params *node) map[string]bool {
	made := map[string]bool{}
	bind := func(target *node, isNew bool) {
		target.walk(func(n *node) bool {
			if n.kind == "identifier" {
				was, known := made[n.text(e.src)]
				made[n.text(e.src)] = isNew && target.kind == "identifier" && (was || !known)
			}
			return n.kind != "attribute" && n.kind != "subscript"
		})
	}
	bind(params, false)
	body.walk(func(n *node) bool {
		switch n.kind {
		case "assignment":
			if left, right := n.child("left"), n.child("right"); left != nil && right != nil {
				bind(left, e.isNew(right))
			}
		case "for_statement", "for_in_clause":
			bind(n.child("left"), false)
		case "named_expression":
			bind(n.child("name"), false)
		case "as_pattern_target":
			bind(n, false)
		}
		return n.kind != "function_definition" && n.kind != "lambda"
	})
	return made
}

var makers = strings.Fields("dict list set sorted bytearray deque defaultdict Counter OrderedDict")

// isNew reports whether an expression gives what nothing else holds, or what cannot change.
func (e *effects) isNew(n *node) bool {
	switch n.kind {
	case "list", "dictionary", "set", "list_comprehension", "set_comprehension", "dictionary_comprehension", "binary_operator", "comparison_operator",
		"unary_operator", "not_operator", "integer", "float", "string", "true", "false", "none":
		return true
	case "parenthesized_expression":
		return len(n.parts()) == 1 && e.isNew(n.parts()[0])
	case "call":
		f := n.child("function")
		return f.kind == "identifier" && slices.Contains(makers, f.text(e.src))
	}
	return false
}

func (b *bodyOf) block(n *node) bool {
	for _, k := range n.parts() {
		if !b.statement(k) {
			return false
		}
	}
	return true
}

// statement reports whether a statement changes nothing outside of the function.
func (b *bodyOf) statement(n *node) bool {
	switch n.kind {
	case "pass_statement", "break_statement", "continue_statement":
		return true
	case "function_definition": // it is called where its name is one of own
		return n.token("async") == nil
	case "if_statement", "elif_clause", "else_clause", "for_statement", "while_statement", "try_statement", "finally_clause", "except_clause":
		for _, k := range n.parts() {
			switch {
			case k.field == "left" && !b.target(k), k.kind == "block" && !b.block(k):
				return false
			case k.field == "left" || k.kind == "block":
			case strings.HasSuffix(k.kind, "_clause"):
				if !b.statement(k) {
					return false
				}
			case k.kind == "as_pattern": // except E as e
			case !b.harmless(k):
				return false
			}
		}
		return n.token("async") == nil
	case "return_statement", "raise_statement", "assert_statement":
		for _, k := range n.parts() {
			if !b.harmless(k) && !(n.kind == "raise_statement" && b.exception(k)) {
				return false
			}
		}
		return true
	case "expression_statement":
		parts := n.parts()
		return len(parts) == 1 && (b.binds(parts[0]) || b.fills(parts[0]) || b.harmless(parts[0]))
	}
	return false
}

// target reports whether binding a target changes nothing that was not made here.
func (b *bodyOf) target(n *node) bool {
	switch n.kind {
	case "identifier":
		return true
	case "pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern":
		for _, k := range n.parts() {
			if !b.target(k) {
				return false
			}
		}
		return true
	case "subscript":
		value := n.child("value")
		if value == nil || value.kind != "identifier" || !b.made[value.text(b.src)] {
			return false
		}
		for _, k := range n.parts() {
			if !b.harmless(k) {
				return false
			}
		}
		return true
	}
	return false
}

// binds reports whether n is an assignment that changes nothing outside. What is added to a name
// in place changes the list that was given, unless it is a number or a text.
func (b *bodyOf) binds(n *node) bool {
	left, right := n.child("left"), n.child("right")
	if left == nil || right == nil || !b.target(left) {
		return false
	}
	switch n.kind {
	case "assignment":
		return b.binds(right) || b.fills(right) || b.harmless(right)
	case "augmented_assignment":
		return b.harmless(right) && (left.kind == "subscript" || b.made[left.text(b.src)] || right.kind == "integer" || right.kind == "float" || right.kind == "string")
	}
	return false
}

var changers = strings.Fields("add append appendleft clear discard extend insert pop popitem popleft remove reverse setdefault sort update")

// fills reports whether n is a call that changes a collection made here.
func (b *bodyOf) fills(n *node) bool {
	f, args := n.child("function"), n.child("arguments")
	if n.kind != "call" || f.kind != "attribute" || args.kind != "argument_list" {
		return false
	}
	object := f.child("object")
	return object.kind == "identifier" && b.made[object.text(b.src)] && slices.Contains(changers, f.child("attribute").text(b.src)) && b.harmless(args)
}

// exception reports whether n makes an exception of a well-known name.
func (b *bodyOf) exception(n *node) bool {
	f, args := n.child("function"), n.child("arguments")
	if n.kind != "call" || f.kind != "identifier" || !strings.HasSuffix(f.text(b.src), "Error") && f.text(b.src) != "Exception" {
		return false
	}
	for _, k := range args.parts() {
		if k.kind != "string" && !b.harmless(k) {
			return false
		}
	}
	return true
}
