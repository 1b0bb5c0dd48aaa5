package mutate

import (
	"slices"
	"sort"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// loaded reports whether an identifier is a name that is read there.
func loaded(n *lang.Node) bool {
	p := n.Parent
	switch {
	case p.Is("attribute"):
		return n.Field == "object"
	case p.Is("keyword_argument", "default_parameter", "typed_default_parameter", "named_expression"):
		return n.Field == "value"
	case p.Is("assignment", "for_statement", "for_in_clause"):
		return n.Field != "left" && n.Field != "type"
	case p.Is("augmented_assignment"):
		return n.Field == "right"
	case p.Is("parameters", "lambda_parameters", "typed_parameter", "function_definition", "class_definition", "dotted_name", "aliased_import",
		"pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern", "dictionary_splat_pattern", "as_pattern_target",
		"global_statement", "nonlocal_statement", "delete_statement", "decorator", "type", "keyword_pattern"):
		return false
	}
	return true
}

// uses of each name in a function: how it is read, as a set of shapes.
func (p *pass) shapes(fn *lang.Node) map[string]map[string]bool {
	if out, ok := p.shape[fn]; ok {
		return out
	}
	out := map[string]map[string]bool{}
	p.shape[fn] = out
	fn.Walk(func(n *lang.Node) bool {
		if n.Is("identifier") && n.Named && loaded(n) {
			name := p.text(n)
			if out[name] == nil {
				out[name] = map[string]bool{}
			}
			out[name][shape(n)] = true
		}
		return true
	})
	return out
}

func shape(n *lang.Node) string {
	switch q := n.Parent; {
	case q.Is("call") && n.Field == "function":
		return "call"
	case q.Is("attribute"):
		return "object"
	case q.Is("subscript") && n.Field == "value":
		return "container"
	case q.Is("subscript"):
		return "key"
	case q.Is("for_statement", "for_in_clause"):
		return "iterable"
	case q.Is("binary_operator", "unary_operator", "augmented_assignment"):
		return "arithmetic"
	}
	return "value"
}

func variableMisuse(p *pass, n *lang.Node) {
	name := p.text(n)
	fn := p.a.FunctionAt(n.Start)
	if fn == nil || !loaded(n) || name == "self" || name == "cls" || name == "super" || strings.HasPrefix(name, "__") {
		return
	}
	if n.Parent.Is("call") && n.Field == "function" {
		return // sibling_function is that
	}
	var bound *python.Binding
	var others []python.Binding
	for _, b := range p.a.Names(n.Start) {
		switch {
		case b.Name == name:
			b := b
			bound = &b
		case b.Scope.Function && p.a.Bound(b, n) && (b.Kind == python.Parameter || b.Kind == python.Variable) && b.Name != "self" && b.Name != "cls" && !strings.HasPrefix(b.Name, "_"):
			others = append(others, b)
		}
	}
	if bound == nil || !bound.Scope.Function || bound.Kind != python.Parameter && bound.Kind != python.Variable {
		return
	}
	kind := p.kind(n)
	others = slices.DeleteFunc(others, func(b python.Binding) bool {
		other := p.kinds.OfBinding(b)
		return !kind.Goes(other) || p.alias(*bound, b) || p.alias(b, *bound)
	})
	shapes := p.shapes(fn.Node)
	here := shape(n)
	score := func(b python.Binding) float64 {
		s := similarity(name, b.Name)
		if shapes[b.Name][here] {
			s += 2
		}
		if numericName(name) == numericName(b.Name) {
			s++
		}
		if b.Kind == bound.Kind {
			s++
		}
		return s
	}
	sort.SliceStable(others, func(i, j int) bool {
		si, sj := score(others[i]), score(others[j])
		if si != sj {
			return si > sj
		}
		return others[i].Name < others[j].Name
	})
	for i, b := range others {
		if i == 2 {
			break
		}
		if q := n.Parent; q.Is("assignment") && p.text(q.Child("left")) == b.Name || q.Is("keyword_argument") && len(others) > 2 && p.text(q.Child("name")) == b.Name {
			continue
		}
		p.rename(n, name+" → "+b.Name, b.Name)
	}
}

// alias reports whether a is only ever bound to b.
func (p *pass) alias(a, b python.Binding) bool {
	v := p.kinds.Sole(a.Name, a.Scope)
	return v.Is("identifier") && p.text(v) == b.Name
}

func returnReplace(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 1 {
		return
	}
	v := cs[0]
	fn := p.a.FunctionAt(n.Start)
	switch {
	case v.Is("none"):
		return
	case v.Is("true"):
		p.replace(v, "return False", "False")
	case v.Is("false"):
		p.replace(v, "return True", "True")
	case v.Is("not_operator"):
		p.replace(v, "return inverted", p.text(v.Child("argument")))
		return
	case v.Is("comparison_operator", "boolean_operator"):
		p.replace(v, "return inverted", "not ("+p.text(v)+")")
	case v.Is("integer", "float"):
		p.replace(v, "return 0", "0")
		p.replace(v, "return 1", "1")
	case v.Is("string", "concatenated_string"):
		p.replace(v, `return ""`, `""`)
	case v.Is("list", "list_comprehension"):
		p.replace(v, "return []", "[]")
	case v.Is("dictionary", "dictionary_comprehension"):
		p.replace(v, "return {}", "{}")
	case fn != nil && predicate(fn.Name):
		p.replace(v, "return inverted", "not "+p.operand(v))
	case p.isNumeric(v):
		p.replace(v, "return 0", "0")
	}
	if !p.falsy(v) && p.text(v) != "NotImplemented" {
		p.replace(v, "return None", "None")
	}
}

// falsy: None in its place is as good as it, for who asks only that.
func (p *pass) falsy(n *lang.Node) bool {
	return n.Is("false") || p.text(n) == "0" || p.text(n) == `""` || p.text(n) == "''"
}

// returnUndo brings back what stood where None does.
func returnUndo(p *pass, n *lang.Node) {
	if cs := n.NamedChildren(); len(cs) == 1 && p.falsy(cs[0]) {
		p.replace(cs[0], "return None", "None")
	}
}

// predicate guesses whether a function answers a question.
func predicate(name string) bool {
	ws := words(name)
	if len(ws) == 0 {
		return false
	}
	switch ws[0] {
	case "is", "has", "can", "should", "contains", "eq", "ne", "lt", "le", "gt", "ge", "bool", "exists", "any", "all", "supports", "matches":
		return true
	}
	return false
}

func elementDrop(p *pass, n *lang.Node) {
	es := n.NamedChildren()
	if len(es) == 0 || len(es) == 1 && !n.Is("list", "dictionary") {
		return
	}
	if n.Parent.Is("for_in_clause") && n.Field == "left" || n.Parent.Is("assignment") && n.Field == "right" && n.Parent.Child("left").Is("pattern_list", "tuple_pattern") ||
		n.Parent.Is("assignment", "for_statement") && n.Field == "left" || n.Parent.Is("delete_statement") {
		return
	}
	// The last and the first: to the end of its comma, or from the comma before.
	if len(es) == 1 {
		p.offer(n, "drop "+p.text(es[0]), tree.Edit{Start: es[0].Start, End: es[0].End})
		return
	}
	last := es[len(es)-1]
	if n.Is("tuple") && len(es) == 2 {
		// a comma makes the tuple
		p.offer(n, "drop "+p.text(last), tree.Edit{Start: last.Start, End: last.End})
	} else {
		p.offer(n, "drop "+p.text(last), tree.Edit{Start: es[len(es)-2].End, End: last.End})
	}
	if n.Is("tuple") && len(es) == 2 {
		p.offer(n, "drop "+p.text(es[0]), tree.Edit{Start: es[0].Start, End: last.End, New: p.text(last) + ","})
	} else {
		p.offer(n, "drop "+p.text(es[0]), tree.Edit{Start: es[0].Start, End: es[1].Start})
	}
}

// copyDrop: what makes a copy, replaced by what is copied.
func copyDrop(p *pass, n *lang.Node) {
	fn := n.Child("function")
	as := positional(n)
	args := n.Child("arguments")
	if !args.Is("argument_list") || len(as) != len(args.NamedChildren()) {
		return
	}
	switch name := p.text(fn); {
	case fn.Is("attribute") && p.text(fn.Child("attribute")) == "copy" && len(as) == 0:
		if p.consumed(n) || p.fresh(fn.Child("object")) {
			return
		}
		p.replace(n, "drop .copy()", p.text(fn.Child("object")))
	case len(as) == 1 && (name == "copy.copy" || name == "copy.deepcopy" || name == "deepcopy" || name == "copy"):
		p.replace(n, "drop "+name, p.text(as[0]))
	case len(as) == 1 && (name == "list" || name == "dict" || name == "set" || name == "bytearray") && as[0].Is("identifier", "attribute", "subscript"):
		if p.consumed(n) || p.fresh(as[0]) {
			return
		}
		p.replace(n, "drop "+name, p.text(as[0]))
	}
}

func sliceCopyDrop(p *pass, n *lang.Node) {
	if ss := n.ChildrenOf("subscript"); len(ss) == 1 && p.text(ss[0]) == ":" && !p.consumed(n) && p.kind(n.Child("value")) != python.Text && p.kind(n.Child("value")) != python.Tuple && !(n.Parent.Is("assignment", "delete_statement") && n.Field != "right") {
		p.replace(n, "drop [:]", p.text(n.Child("value")))
	}
}
