package python

import "breakfix/internal/lang"

// name is the kind of all that a name is bound to in its scope.
func (k *Kinds) name(name string, n *lang.Node) Kind {
	for _, b := range k.a.Names(n.Start) {
		if b.Name == name {
			return k.OfBinding(b)
		}
	}
	return Unknown
}

func (k *Kinds) kindOf(vs []value) Kind {
	var kinds []Kind
	for _, v := range vs {
		switch {
		case v.node == nil || v.kind != Unknown:
			kinds = append(kinds, v.kind)
		case !v.each:
			kinds = append(kinds, k.Of(v.node))
		case k.Of(v.node) == Text:
			kinds = append(kinds, Text)
		case v.node.Is("call") && k.a.File.Text(v.node.Child("function")) == "range" || k.Of(v.node) == Bytes:
			kinds = append(kinds, Number)
		case v.node.Is("list", "tuple", "set"):
			var each []Kind
			for _, c := range v.node.NamedChildren() {
				each = append(each, k.Of(c))
			}
			kinds = append(kinds, merge(each))
		}
	}
	return merge(kinds)
}

// Sole returns the one expression that a name of a function is ever bound to,
// nil when there are others or none.
func (k *Kinds) Sole(name string, s *Scope) *lang.Node {
	if vs := k.valuesOf(s)[name]; len(vs) == 1 && !vs[0].each {
		return vs[0].node
	}
	return nil
}

// valuesOf collects what the names of a scope are bound to, without the scopes in it.
func (k *Kinds) valuesOf(s *Scope) map[string][]value {
	if m, ok := k.values[s]; ok {
		return m
	}
	m := map[string][]value{}
	k.values[s] = m
	if ps := s.Node.Child("parameters"); ps != nil && s.Function {
		k.params(m, ps)
	}
	if s.Body == nil {
		return m
	}
	k.targets(s.Body, m, func(t *lang.Node) string {
		if t.Is("identifier") {
			return k.a.File.Text(t)
		}
		return ""
	}, false)
	return m
}

func (k *Kinds) params(m map[string][]value, ps *lang.Node) {
	for _, p := range ps.NamedChildren() {
		name := p.Child("name")
		if name == nil && p.Is("typed_parameter") {
			name = p.NamedChildren()[0]
		}
		v := value{}
		switch t := p.Child("type"); {
		case p.Is("list_splat_pattern") || name.Is("list_splat_pattern"):
			v.kind = Tuple
		case p.Is("dictionary_splat_pattern") || name.Is("dictionary_splat_pattern"):
			v.kind = Dict
		case t != nil:
			v.kind = k.annotation(t)
		}
		if name == nil {
			name = p
		}
		if name.Is("list_splat_pattern", "dictionary_splat_pattern") && len(name.NamedChildren()) > 0 {
			name = name.NamedChildren()[0]
		}
		at := k.a.File.Text(name)
		if d := p.Child("value"); v.kind == Unknown && d != nil && !d.Is("none") {
			v.node = d
		}
		m[at] = append(m[at], v)
	}
}

// targets collects the values of what key names, in a body: of names, or of
// attributes of self. deep goes into functions too.
func (k *Kinds) targets(body *lang.Node, m map[string][]value, key func(*lang.Node) string, deep bool) {
	add := func(t *lang.Node, v value) {
		if t == nil {
			return
		}
		if name := key(t); name != "" {
			m[name] = append(m[name], v)
			return
		}
		if t.Is("pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern", "as_pattern_target", "parenthesized_expression") {
			first := true
			t.Walk(func(c *lang.Node) bool {
				if name := key(c); name != "" {
					one := value{}
					if v.each && first && v.node.Is("call") && k.a.File.Text(v.node.Child("function")) == "enumerate" {
						one.kind = Number
					}
					m[name] = append(m[name], one)
					first = false
					return false
				}
				return !c.Is("attribute", "subscript", "call")
			})
		}
	}
	body.Walk(func(n *lang.Node) bool {
		switch n.Kind {
		case "function_definition":
			return deep
		case "class_definition", "lambda":
			return false
		case "assignment":
			v := value{node: n.Child("right")}
			if t := n.Child("type"); t != nil {
				v.kind = k.annotation(t)
			}
			add(n.Child("left"), v)
		case "augmented_assignment":
			if !n.Child("operator").Is("%=") {
				add(n.Child("left"), value{node: n.Child("right")})
			}
		case "named_expression":
			add(n.Child("name"), value{node: n.Child("value")})
		case "for_statement":
			add(n.Child("left"), value{node: n.Child("right"), each: true})
		case "as_pattern_target":
			add(n, value{})
			return false
		}
		return true
	})
}

// classOf returns the class of the file that an object is of: that of self, or
// of what its kind says.
func (k *Kinds) classOf(object *lang.Node) *Scope {
	if object == nil {
		return nil
	}
	name := k.a.File.Text(object)
	if name == "self" || name == "cls" {
		return k.a.ClassAt(object.Start)
	}
	if kind := k.Of(object); kind != Unknown && k.a.className(string(kind)) {
		for _, s := range k.a.Scopes {
			if s.Parent == k.a.Module() && s.Name == string(kind) {
				return s
			}
		}
	}
	return nil
}

// attribute is the kind of all that a class binds an attribute to.
func (k *Kinds) attribute(n *lang.Node) Kind {
	class := k.classOf(n.Child("object"))
	if class == nil {
		return Unknown
	}
	return k.kindOf(k.membersOf(class)[k.a.File.Text(n.Child("attribute"))])
}

// Members returns the attributes that a class binds, in itself and on self,
// each with its kind: methods are Callable.
func (k *Kinds) Members(class *Scope) map[string]Kind {
	out := map[string]Kind{}
	for name, vs := range k.membersOf(class) {
		out[name] = k.kindOf(vs)
	}
	return out
}

// ClassOf returns the class of the file that an object is of, nil if that is
// not known.
func (k *Kinds) ClassOf(object *lang.Node) *Scope { return k.classOf(object) }

func (k *Kinds) membersOf(class *Scope) map[string][]value {
	if m, ok := k.members[class]; ok {
		return m
	}
	m := map[string][]value{}
	k.members[class] = m
	for name, vs := range k.valuesOf(class) {
		m[name] = append(m[name], vs...)
	}
	f := k.a.File
	for _, s := range k.a.Scopes {
		if s.Parent != class {
			continue
		}
		name := f.Text(s.Node.Child("name"))
		v := value{kind: Callable}
		if d := s.Node.Parent; s.Function && d.Is("decorated_definition") {
			for _, c := range d.Children {
				if c.Is("decorator") && (f.Text(c) == "@property" || f.Text(c) == "@cached_property" || f.Text(c) == "@functools.cached_property") {
					v.kind = k.result(s)
				}
			}
		}
		m[name] = append(m[name], v)
	}
	if class.Body != nil {
		k.targets(class.Body, m, func(t *lang.Node) string {
			if t.Is("attribute") && f.Text(t.Child("object")) == "self" {
				return f.Text(t.Child("attribute"))
			}
			return ""
		}, true)
	}
	return m
}

// OfBinding returns the kind of all that a name is bound to.
func (k *Kinds) OfBinding(b Binding) Kind {
	switch {
	case b.Kind == Function || b.Kind == Class:
		return Callable
	case b.Kind == Import || b.To > 0:
		return Unknown
	}
	return k.kindOf(k.valuesOf(b.Scope)[b.Name])
}
