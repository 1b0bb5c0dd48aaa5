package python

import (
	"sort"
	"strings"

	"breakfix/internal/lang"
)

// BindingKind says what binds a name.
type BindingKind string

// What binds names.
const (
	Parameter BindingKind = "parameter"
	Variable  BindingKind = "variable"
	Import    BindingKind = "import"
	Function  BindingKind = "function"
	Class     BindingKind = "class"
)

// Binding is a name and where it gets a value.
type Binding struct {
	Name     string
	Kind     BindingKind
	At       int // offset from which on it is bound in its scope, at its first binding
	From, To int // where it can be read, when narrower than its scope (comprehensions, lambdas); else 0, 0
	Scope    *Scope
}

// Scope is the module, a class or a function with what is bound in it.
type Scope struct {
	lang.Scope
	Node     *lang.Node // module, class_definition or function_definition
	Body     *lang.Node // its block; the module itself
	Parent   *Scope     // nil for the module
	Bindings []Binding  // in the order of the source, first of each name
	declared map[string]bool
}

// Params returns the names of a function's parameters in order.
func (s *Scope) Params() []string {
	var ps []string
	for _, b := range s.Bindings {
		if b.Kind == Parameter && b.From == 0 {
			ps = append(ps, b.Name)
		}
	}
	return ps
}

// Analysis is what is known of a file beyond its syntax.
type Analysis struct {
	File   *lang.File
	Scopes []*Scope // by start; the module is first
	inert  []Inert
}

// Analyse returns the analysis of f, made once a file.
func Analyse(f *lang.File) *Analysis {
	return f.Memo(func() any { return analyse(f) }).(*Analysis)
}

func analyse(f *lang.File) *Analysis {
	a := &Analysis{File: f}
	module := &Scope{Node: f.Root, Body: f.Root, declared: map[string]bool{}}
	module.Scope = lang.Scope{Start: 0, End: len(f.Source), FirstLine: 1, LastLine: f.Lines()}
	a.Scopes = []*Scope{module}
	a.visit(f.Root, module)
	sort.SliceStable(a.Scopes, func(i, j int) bool { return a.Scopes[i].Start < a.Scopes[j].Start })
	for _, s := range a.Scopes {
		sort.SliceStable(s.Bindings, func(i, j int) bool { return s.Bindings[i].At < s.Bindings[j].At })
		s.Bindings = firstOfEach(s.Bindings)
	}
	a.inert = findInert(a)
	return a
}

func firstOfEach(bs []Binding) []Binding {
	type key struct {
		name     string
		from, to int
	}
	seen := map[key]bool{}
	var out []Binding
	for _, b := range bs {
		k := key{b.Name, b.From, b.To}
		if !seen[k] {
			seen[k] = true
			out = append(out, b)
		}
	}
	return out
}

// Module returns the scope of the whole file.
func (a *Analysis) Module() *Scope { return a.Scopes[0] }

// ScopeAt returns the innermost scope that holds the byte at offset.
func (a *Analysis) ScopeAt(offset int) *Scope {
	in := a.Scopes[0]
	for _, s := range a.Scopes {
		if s.Start > offset {
			break
		}
		if offset < s.End && s.Start >= in.Start {
			in = s
		}
	}
	return in
}

// FunctionAt returns the innermost function that holds offset, nil if none.
func (a *Analysis) FunctionAt(offset int) *Scope {
	s := a.ScopeAt(offset)
	for s != nil && !s.Function {
		s = s.Parent
	}
	return s
}

// ClassAt returns the innermost class that holds offset, nil if none.
func (a *Analysis) ClassAt(offset int) *Scope {
	s := a.ScopeAt(offset)
	for s != nil && !s.Node.Is("class_definition") {
		s = s.Parent
	}
	return s
}

// Names returns what can be read at offset, innermost scope first, each name
// once: parameters, locals that are bound before it, what enclosing functions
// bind, and module names (those bound later too when offset is in a function,
// which runs later).
func (a *Analysis) Names(offset int) []Binding {
	var out []Binding
	seen := map[string]bool{}
	own := a.ScopeAt(offset)
	for s := own; s != nil; s = s.Parent {
		if s != own && s.Node.Is("class_definition") {
			continue // a class body's names are not visible in its methods
		}
		for _, b := range s.Bindings {
			switch {
			case seen[b.Name], s.declared[b.Name]:
			case b.To > 0 && (offset < b.From || offset >= b.To):
			case b.To == 0 && s == own && b.At >= offset:
			default:
				seen[b.Name] = true
				out = append(out, b)
			}
		}
	}
	return out
}

func (a *Analysis) bind(s *Scope, n *lang.Node, kind BindingKind, within *lang.Node) {
	b := Binding{Name: a.File.Text(n), Kind: kind, At: n.Start, Scope: s}
	if within != nil {
		b.From, b.To = within.Start, within.End
	}
	s.Bindings = append(s.Bindings, b)
}

// bindPattern binds every name of an assignment target.
func (a *Analysis) bindPattern(s *Scope, n *lang.Node, within *lang.Node) {
	switch n.Kind {
	case "identifier":
		a.bind(s, n, Variable, within)
	case "attribute", "subscript", "call":
	default:
		for _, c := range n.NamedChildren() {
			a.bindPattern(s, c, within)
		}
	}
}

func (a *Analysis) visit(n *lang.Node, s *Scope) {
	f := a.File
	switch n.Kind {
	case "function_definition", "class_definition":
		kind := Class
		if n.Kind == "function_definition" {
			kind = Function
		}
		name := n.Child("name")
		if name == nil {
			break
		}
		a.bind(s, name, kind, nil)
		outer := n
		if n.Parent.Is("decorated_definition") {
			outer = n.Parent
		}
		in := &Scope{Node: n, Body: n.Child("body"), Parent: s, declared: map[string]bool{}}
		in.Scope = lang.Scope{
			Name: strings.TrimPrefix(s.Name+"."+f.Text(name), "."), Function: kind == Function,
			Start: outer.Start, End: n.End, FirstLine: f.Line(outer.Start), LastLine: f.LastLine(outer.Start, n.End),
		}
		a.Scopes = append(a.Scopes, in)
		if ps := n.Child("parameters"); ps != nil {
			a.bindParams(in, ps, nil)
			for _, p := range ps.NamedChildren() {
				if v := p.Child("value"); v != nil {
					a.visit(v, s) // defaults are evaluated outside
				}
			}
		}
		if super := n.Child("superclasses"); super != nil {
			a.visit(super, s)
		}
		if in.Body != nil {
			a.visit(in.Body, in)
		}
		return
	case "lambda":
		if ps := n.Child("parameters"); ps != nil {
			a.bindParams(s, ps, n)
		}
	case "assignment", "augmented_assignment":
		if left := n.Child("left"); left != nil {
			first := len(s.Bindings)
			a.bindPattern(s, left, nil)
			for i := range s.Bindings[first:] {
				s.Bindings[first+i].At = n.End // the right side does not see it yet
			}
		}
	case "named_expression":
		if name := n.Child("name"); name != nil {
			a.bind(s, name, Variable, nil)
		}
	case "for_statement":
		a.bindPattern(s, n.Child("left"), nil)
	case "for_in_clause":
		a.bindPattern(s, n.Child("left"), n.Parent)
	case "as_pattern_target":
		a.bindPattern(s, n, nil)
	case "case_pattern":
		n.Walk(func(c *lang.Node) bool {
			if c.Is("dotted_name") && len(c.Children) == 1 && f.Text(c) != "_" {
				a.bind(s, c, Variable, nil)
			}
			return true
		})
		return
	case "import_statement", "import_from_statement", "future_import_statement":
		for _, c := range n.ChildrenOf("name") {
			switch {
			case n.Kind == "future_import_statement":
			case c.Is("aliased_import"):
				a.bind(s, c.Child("alias"), Import, nil)
			case n.Kind == "import_statement": // "import a.b" binds a
				a.bind(s, c.NamedChildren()[0], Import, nil)
			default:
				a.bind(s, c, Import, nil)
			}
		}
		return
	case "global_statement", "nonlocal_statement":
		for _, c := range n.NamedChildren() {
			s.declared[f.Text(c)] = true
		}
		return
	}
	for _, c := range n.Children {
		a.visit(c, s)
	}
}

func (a *Analysis) bindParams(s *Scope, params, within *lang.Node) {
	for _, p := range params.NamedChildren() {
		name := p
		if n := p.Child("name"); n != nil {
			name = n
		} else if p.Is("typed_parameter") {
			name = p.NamedChildren()[0]
		}
		if name.Is("list_splat_pattern", "dictionary_splat_pattern") && len(name.NamedChildren()) > 0 {
			name = name.NamedChildren()[0]
		}
		if name.Is("identifier") {
			a.bind(s, name, Parameter, within)
		}
	}
}

// ImportStatement is one import with the names that it binds.
type ImportStatement struct {
	Node   *lang.Node
	Module string   // "a.b" of "from a.b import c", "" for "import a"
	Names  []string // as they are bound
	Star   bool
}

// Imports returns the import statements of a file, wherever they stand, in order.
func (a *Analysis) Imports() []ImportStatement {
	var out []ImportStatement
	a.File.Root.Walk(func(n *lang.Node) bool {
		if !n.Is("import_statement", "import_from_statement", "future_import_statement") {
			return true
		}
		im := ImportStatement{Node: n, Module: a.File.Text(n.Child("module_name")), Star: n.First("wildcard_import") != nil}
		if n.Kind == "future_import_statement" {
			im.Module = "__future__"
		}
		for _, c := range n.ChildrenOf("name") {
			if alias := c.Child("alias"); alias != nil {
				im.Names = append(im.Names, a.File.Text(alias))
			} else {
				im.Names = append(im.Names, a.File.Text(c))
			}
		}
		out = append(out, im)
		return false
	})
	return out
}
