package mutate

import (
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
		case b.Scope.Function && (b.Kind == python.Parameter || b.Kind == python.Variable) && b.Name != "self" && b.Name != "cls" && !strings.HasPrefix(b.Name, "_"):
			others = append(others, b)
		}
	}
	if bound == nil || !bound.Scope.Function || bound.Kind != python.Parameter && bound.Kind != python.Variable {
		return
	}
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
	p.replace(v, "return None", "None")
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
		p.replace(n, "drop .copy()", p.text(fn.Child("object")))
	case len(as) == 1 && (name == "copy.copy" || name == "copy.deepcopy" || name == "deepcopy" || name == "copy"):
		p.replace(n, "drop "+name, p.text(as[0]))
	case len(as) == 1 && (name == "list" || name == "dict" || name == "set" || name == "bytearray") && as[0].Is("identifier", "attribute", "subscript"):
		p.replace(n, "drop "+name, p.text(as[0]))
	}
}

func sliceCopyDrop(p *pass, n *lang.Node) {
	if ss := n.ChildrenOf("subscript"); len(ss) == 1 && p.text(ss[0]) == ":" && !(n.Parent.Is("assignment", "delete_statement") && n.Field != "right") {
		p.replace(n, "drop [:]", p.text(n.Child("value")))
	}
}

// stringKeys are the texts of the string keys in a function, or in the file
// when it has no other, sorted.
func (p *pass) stringKeys(around *lang.Node) []string {
	seen := map[string]bool{}
	around.Walk(func(n *lang.Node) bool {
		switch {
		case n.Is("subscript"):
			for _, s := range n.ChildrenOf("subscript") {
				if s.Is("string") {
					seen[p.text(s)] = true
				}
			}
		case n.Is("pair") && n.Child("key").Is("string"):
			seen[p.text(n.Child("key"))] = true
		}
		return true
	})
	var keys []string
	for k := range seen {
		if !strings.Contains(k, "{") {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}

func keySwap(p *pass, n *lang.Node) {
	ss := n.ChildrenOf("subscript")
	if len(ss) != 1 || !ss[0].Is("string") {
		return
	}
	around := p.f.Root
	if s := p.a.ScopeAt(n.Start); s.Function {
		around = s.Node
	}
	keys := p.stringKeys(around)
	if len(keys) < 2 {
		keys = p.stringKeys(p.f.Root)
	}
	own := p.text(ss[0])
	sort.SliceStable(keys, func(i, j int) bool { return similarity(own, keys[i]) > similarity(own, keys[j]) })
	count := 0
	for _, k := range keys {
		if k != own && count < 2 {
			p.replace(ss[0], own+" → "+k, k)
			count++
		}
	}
}

func keywordSwap(p *pass, n *lang.Node) {
	var prev *lang.Node
	count := 0
	for _, a := range n.NamedChildren() {
		if !a.Is("keyword_argument") {
			prev = nil
			continue
		}
		if prev != nil && count < 2 && p.text(prev.Child("value")) != p.text(a.Child("value")) {
			p.swap(n, "swap keywords "+p.text(prev.Child("name"))+" and "+p.text(a.Child("name")), prev.Child("name"), a.Child("name"))
			count++
		}
		prev = a
	}
}

func pairSwap(p *pass, n *lang.Node) {
	es := n.NamedChildren()
	for i := 0; i+1 < len(es) && i < 2; i++ {
		a, b := es[i], es[i+1]
		if a.Is("pair") && b.Is("pair") && p.text(a.Child("value")) != p.text(b.Child("value")) {
			p.swap(n, "swap the values of "+p.text(a.Child("key"))+" and "+p.text(b.Child("key")), a.Child("value"), b.Child("value"))
		}
	}
}

func orDefaultDrop(p *pass, n *lang.Node) {
	if n.Child("operator").Kind == "or" && !decides(n) && !isTest(n.Child("left")) && !n.Parent.Is("boolean_operator") {
		p.replace(n, "drop or "+p.text(n.Child("right")), p.text(n.Child("left")))
	}
}

func callDefaultDrop(p *pass, n *lang.Node) {
	as := positional(n)
	args := n.Child("arguments")
	if !args.Is("argument_list") || len(args.NamedChildren()) != len(as) {
		return
	}
	name := callee(n)
	switch p.text(name) {
	case "get", "pop":
		if len(as) == 2 && name.Field == "attribute" {
			p.offer(n, "drop the default "+p.text(as[1]), tree.Edit{Start: as[0].End, End: as[1].End})
		}
	case "getattr":
		if len(as) == 3 {
			p.offer(n, "drop the default "+p.text(as[2]), tree.Edit{Start: as[1].End, End: as[2].End})
		}
	case "next":
		if len(as) == 2 {
			p.offer(n, "drop the default "+p.text(as[1]), tree.Edit{Start: as[0].End, End: as[1].End})
		}
	}
}

// ternaryDefaultDrop: "x if x is not None else y" and its mirror image.
func ternaryDefaultDrop(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 3 || !strings.Contains(p.text(cs[1]), "None") {
		return
	}
	switch {
	case strings.HasPrefix(p.text(cs[1]), p.text(cs[0])+" is not None"):
		p.replace(n, "drop the fallback", p.text(cs[0]))
	case strings.HasPrefix(p.text(cs[1]), p.text(cs[2])+" is None"):
		p.replace(n, "drop the fallback", p.text(cs[2]))
	}
}

// defaultAssignDrop: "if x is None: x = …".
func defaultAssignDrop(p *pass, n *lang.Node) {
	cond, then := n.Child("condition"), n.Child("consequence")
	if n.Child("alternative") != nil || then == nil {
		return
	}
	ss := python.Statements(p.f, then)
	if len(ss) != 1 || !ss[0].Node.Is("expression_statement") {
		return
	}
	as := ss[0].Node.NamedChildren()
	if len(as) != 1 || !as[0].Is("assignment") {
		return
	}
	x := p.text(as[0].Child("left"))
	if c := p.text(cond); c == x+" is None" || c == "not "+x {
		p.remove(n, "drop the default of "+x)
	}
}
