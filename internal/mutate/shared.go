package mutate

import (
	"strconv"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// emptyContainer reports whether n makes an empty list, dictionary or set: what
// two calls must not have in common when either changes it.
func (p *pass) emptyContainer(n *lang.Node) bool {
	switch {
	case n.Is("list", "dictionary"):
		return len(n.NamedChildren()) == 0
	case n.Is("call"):
		switch p.text(n.Child("function")) {
		case "list", "dict", "set", "deque", "collections.deque", "OrderedDict":
			return len(n.Child("arguments").NamedChildren()) == 0
		}
	}
	return false
}

// soleAssignment takes "x = value" apart, which must be all of a statement.
func soleAssignment(n *lang.Node) (left, right *lang.Node) {
	if cs := n.NamedChildren(); n.Is("expression_statement") && len(cs) == 1 && cs[0].Is("assignment") {
		return cs[0].Child("left"), cs[0].Child("right")
	}
	return nil, nil
}

var changing = map[string]bool{
	"append": true, "add": true, "update": true, "extend": true, "insert": true, "pop": true, "popitem": true, "popleft": true, "appendleft": true,
	"remove": true, "discard": true, "clear": true, "setdefault": true, "sort": true, "reverse": true, "extendleft": true, "rotate": true,
	"__setitem__": true, "__delitem__": true,
}

// changes reports whether code in around, from start on, changes what the text
// name stands for. out also counts what hands it to somebody who may: returned,
// yielded, stored or passed on.
func (p *pass) changes(around *lang.Node, name string, start int, out bool) bool {
	found := false
	around.Walk(func(n *lang.Node) bool {
		if found || n.End <= start {
			return false
		}
		if n.Start < start || !n.Is("identifier", "attribute") || p.text(n) != name {
			return true
		}
		q := n.Parent
		switch {
		case q.Is("attribute") && n.Field == "object":
			found = changing[p.text(q.Child("attribute"))] && q.Parent.Is("call") && q.Field == "function"
		case q.Is("subscript") && n.Field == "value":
			found = q.Field == "left" && q.Parent.Is("assignment", "augmented_assignment") || q.Parent.Is("delete_statement")
		case q.Is("augmented_assignment") && n.Field == "left":
			found = true
		case out && q.Is("return_statement", "yield"):
			found = true
		case out && q.Is("assignment") && n.Field == "right":
			found = q.Child("left").Is("attribute", "subscript")
		}
		return false
	})
	return found
}

// parameterAt returns where a further parameter with a default goes: in front
// of **kwargs, else at the end. It is -1 where a lone star or slash is there.
func parameterAt(p *pass, fn *lang.Node) (at int, first, last bool) {
	ps := fn.Child("parameters")
	if ps == nil || len(ps.Children) < 2 {
		return -1, false, false
	}
	named := ps.NamedChildren()
	for _, c := range named {
		if c.Is("dictionary_splat_pattern") || c.Is("typed_parameter") && c.NamedChildren()[0].Is("dictionary_splat_pattern") {
			return c.Start, false, false
		}
	}
	if len(named) == 0 {
		return ps.Children[len(ps.Children)-1].Start, true, true
	}
	return named[len(named)-1].End, false, true
}

// mutableDefault: "if x is None: x = []" becomes the default of x.
func mutableDefault(p *pass, n *lang.Node) {
	fn := p.a.FunctionAt(n.Start)
	if fn == nil || n.Child("alternative") != nil || n.Child("consequence") == nil || n.Parent != fn.Body {
		return
	}
	ss := python.Statements(p.f, n.Child("consequence"))
	if len(ss) != 1 {
		return
	}
	left, right := soleAssignment(ss[0].Node)
	if !left.Is("identifier") || !p.emptyContainer(right) || p.text(n.Child("condition")) != p.text(left)+" is None" || !p.changes(fn.Body, p.text(left), n.End, true) {
		return
	}
	for _, param := range fn.Node.Child("parameters").NamedChildren() {
		if v := param.Child("value"); p.text(param.Child("name")) == p.text(left) && v.Is("none") {
			if e, ok := python.Removal(p.f, python.NewStatement(p.f, n)); ok {
				p.offer(n, "the default of "+p.text(left)+" is made once", tree.Edit{Start: v.Start, End: v.End, New: p.text(right)}, e)
			}
		}
	}
}

// localDefault: a container that each call makes becomes the default of a new
// parameter, made once.
func localDefault(p *pass, n *lang.Node) {
	fn := p.a.FunctionAt(n.Start)
	left, right := soleAssignment(n)
	if fn == nil || n.Parent != fn.Body || !left.Is("identifier") || !p.emptyContainer(right) || strings.HasPrefix(p.text(fn.Node.Child("name")), "__") {
		return
	}
	name := p.text(left)
	for _, b := range fn.Bindings {
		if b.Name == name && b.Kind == python.Parameter {
			return
		}
	}
	at, first, atEnd := parameterAt(p, fn.Node)
	if at < 0 || p.kinds.Sole(name, fn) == nil || !p.changes(fn.Body, name, n.End, false) {
		return
	}
	param := name + "=" + p.text(right)
	switch {
	case atEnd && !first:
		param = ", " + param
	case !atEnd:
		param += ", "
	}
	if e, ok := python.Removal(p.f, python.NewStatement(p.f, n)); ok {
		p.offer(n, name+" is made once, as a default", tree.Edit{Start: at, End: at, New: param}, e)
	}
}

// classState: a container that __init__ makes for each object becomes one of
// the class.
func classState(p *pass, n *lang.Node) {
	fn := p.a.FunctionAt(n.Start)
	left, right := soleAssignment(n)
	if fn == nil || fn.Parent == nil || fn.Parent.Function || fn.Parent.Body == nil || !left.Is("attribute") || p.text(left.Child("object")) != "self" ||
		!p.emptyContainer(right) || p.text(fn.Node.Child("name")) != "__init__" || n.Parent != fn.Body {
		return
	}
	class := fn.Parent
	name := p.text(left.Child("attribute"))
	for _, b := range class.Bindings {
		if b.Name == name || b.Name == "__slots__" {
			return
		}
	}
	if strings.HasPrefix(name, "__") || !p.changes(class.Body, "self."+name, 0, true) {
		return
	}
	members := python.Statements(p.f, class.Body)
	at := members[0]
	if p.a.InertNode(at.Node) == "docstring" && len(members) > 1 {
		at = members[1]
	}
	if !at.OwnLines || at.FirstLine <= p.f.Line(class.Node.Start) {
		return
	}
	if e, ok := python.Removal(p.f, python.NewStatement(p.f, n)); ok {
		line := python.Indent(p.f, at.Start) + name + " = " + p.text(right) + python.Newline(p.f)
		start := p.f.LineStart(at.FirstLine)
		if start > e.Start {
			return
		}
		p.offer(n, "self."+name+" is one for all objects", tree.Edit{Start: start, End: start, New: line}, e)
	}
}

// turns is how many places of a function a statement is put back in at most.
const turns = 8

// putBack offers a statement in front of each of the first statements of a
// function, or at its end, with what else has to change.
func (p *pass) putBack(site *lang.Node, fn *python.Scope, line, variant string, gone tree.Edit) {
	if fn.Body == nil {
		return
	}
	ss := python.Statements(p.f, fn.Body)
	for i, s := range ss {
		if i == turns || !s.OwnLines || s.FirstLine <= p.f.Line(fn.Node.Start) {
			return
		}
		if p.a.InertNode(s.Node) == "docstring" {
			continue
		}
		text := python.Indent(p.f, s.Start) + line + python.Newline(p.f)
		start := p.f.LineStart(s.FirstLine)
		p.offer(site, variant+" before line "+strconv.Itoa(s.FirstLine), gone, tree.Edit{Start: start, End: start, New: text})
		if _, end := p.f.Span(s.LastLine, s.LastLine); i == len(ss)-1 && p.f.Source[end-1] == '\n' {
			p.offer(site, variant+" at the end", gone, tree.Edit{Start: end, End: end, New: text})
		}
	}
}

// sharedUndo makes a container of a class in __init__ instead.
func sharedUndo(p *pass, n *lang.Node) {
	left, right := soleAssignment(n)
	class := p.a.ScopeAt(n.Start)
	if !class.Node.Is("class_definition") || n.Parent != class.Body || !left.Is("identifier") || !p.emptyContainer(right) {
		return
	}
	gone, ok := python.Removal(p.f, python.NewStatement(p.f, n))
	for _, s := range p.a.Scopes {
		if ok && s.Parent == class && s.Function && p.text(s.Node.Child("name")) == "__init__" {
			p.putBack(n, s, "self."+p.text(left)+" = "+p.text(right), "self."+p.text(left)+" for each object", gone)
		}
	}
}

// defaultUndo makes what a default holds in each call instead: in a statement
// of its own in the place of the parameter, or where None is its default.
func defaultUndo(p *pass, n *lang.Node) {
	v := n.Child("value")
	fn := p.a.FunctionAt(n.Start)
	if fn == nil || !n.Parent.Is("parameters") || !p.emptyContainer(v) || n.Parent.Parent != fn.Node {
		return
	}
	name := p.text(n.Child("name"))
	gone := tree.Edit{Start: n.Start, End: n.End}
	all := n.Parent.NamedChildren()
	for i, c := range all {
		switch {
		case c != n:
		case i > 0:
			gone.Start = all[i-1].End
		case len(all) > 1:
			gone.End = all[1].Start
		}
	}
	p.putBack(n, fn, name+" = "+p.text(v), name+" for each call", gone)
	if ss := python.Statements(p.f, fn.Body); len(ss) > 0 && ss[0].OwnLines && ss[0].FirstLine > p.f.Line(fn.Node.Start) {
		indent, nl := python.Indent(p.f, ss[0].Start), python.Newline(p.f)
		p.putBack(n, fn, "if "+name+" is None:"+nl+indent+indent[len(python.Indent(p.f, fn.Node.Start)):]+name+" = "+p.text(v), name+" for each call that gives none",
			tree.Edit{Start: v.Start, End: v.End, New: "None"})
	}
}
