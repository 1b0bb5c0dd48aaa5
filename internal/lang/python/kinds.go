package python

import (
	"strings"

	"breakfix/internal/lang"
)

// Kind is what sort of value an expression has, as far as the text of its file
// tells: by literals, annotations, and calls of what is known. A class that
// the file defines is a kind of its own, under its name.
type Kind string

// The kinds of built-in values. Unknown goes with every other.
const (
	Unknown  Kind = ""
	Number   Kind = "number"
	Bool     Kind = "bool"
	Text     Kind = "text"
	Bytes    Kind = "bytes"
	List     Kind = "list"
	Tuple    Kind = "tuple"
	Dict     Kind = "dict"
	Set      Kind = "set"
	Iterator Kind = "iterator" // can be gone through once
	Absent   Kind = "none"
	Callable Kind = "callable" // functions and classes
	Queue    Kind = "queue"
	Lock     Kind = "lock"
	RLock    Kind = "rlock" // a lock that its holder may take again
	Event    Kind = "event"
	Task     Kind = "task" // also a future
)

// Goes reports whether a value of the one kind may stand for the other.
func (k Kind) Goes(with Kind) bool {
	return k == with || k == Unknown || with == Unknown || k == Absent || with == Absent
}

// Ordered reports whether the kind keeps the order of its elements.
func (k Kind) Ordered() bool { return k == List || k == Tuple || k == Text || k == Bytes }

// Kinds infers the kinds of one file's expressions. It keeps what it has found
// and is not safe for concurrent use.
type Kinds struct {
	a       *Analysis
	memo    map[*lang.Node]Kind
	pending map[*lang.Node]bool
	values  map[*Scope]map[string][]value
	members map[*Scope]map[string][]value
}

// value is where a name gets one: an expression, or what goes with it.
type value struct {
	node *lang.Node // nil where only the kind is known
	kind Kind
	each bool // an element of node
}

// NewKinds returns what infers the kinds of a file.
func NewKinds(a *Analysis) *Kinds {
	return &Kinds{a: a, memo: map[*lang.Node]Kind{}, pending: map[*lang.Node]bool{}, values: map[*Scope]map[string][]value{}, members: map[*Scope]map[string][]value{}}
}

// Of returns the kind of an expression.
func (k *Kinds) Of(n *lang.Node) Kind {
	if n == nil {
		return Unknown
	}
	if kind, ok := k.memo[n]; ok {
		return kind
	}
	if k.pending[n] {
		return Unknown // it depends on itself
	}
	k.pending[n] = true
	kind := k.infer(n)
	delete(k.pending, n)
	if len(k.pending) == 0 || kind != Unknown {
		k.memo[n] = kind
	}
	return kind
}

func (k *Kinds) infer(n *lang.Node) Kind {
	f := k.a.File
	switch n.Kind {
	case "integer", "float":
		return Number
	case "true", "false", "comparison_operator", "not_operator":
		return Bool
	case "string", "concatenated_string":
		if i := strings.IndexAny(f.Text(n), `"'`); i > 0 && strings.ContainsAny(f.Text(n)[:i], "bB") {
			return Bytes
		}
		return Text
	case "list", "list_comprehension":
		return List
	case "tuple", "expression_list":
		return Tuple
	case "dictionary", "dictionary_comprehension":
		return Dict
	case "set", "set_comprehension":
		return Set
	case "generator_expression":
		return Iterator
	case "none":
		return Absent
	case "lambda":
		return Callable
	case "parenthesized_expression", "unary_operator", "named_expression":
		return k.Of(last(n.NamedChildren()))
	case "conditional_expression":
		if cs := n.NamedChildren(); len(cs) == 3 {
			return merge([]Kind{k.Of(cs[0]), k.Of(cs[2])})
		}
	case "boolean_operator":
		return merge([]Kind{k.Of(n.Child("left")), k.Of(n.Child("right"))})
	case "binary_operator":
		return k.binary(n)
	case "subscript":
		on := k.Of(n.Child("value"))
		if ss := n.ChildrenOf("subscript"); on == Text || len(ss) == 1 && ss[0].Is("slice") && on.Ordered() {
			return on
		}
	case "identifier":
		return k.name(f.Text(n), n)
	case "attribute":
		return k.attribute(n)
	case "call":
		return k.call(n)
	}
	return Unknown
}

func last(ns []*lang.Node) *lang.Node {
	if len(ns) == 0 {
		return nil
	}
	return ns[len(ns)-1]
}

// merge is the one kind of several values. None beside another counts as the
// other; two others are not known.
func merge(kinds []Kind) Kind {
	out := Unknown
	for _, k := range kinds {
		switch {
		case k == Unknown || k == out || k == Absent && out != Unknown:
		case out == Unknown || out == Absent:
			out = k
		default:
			return Unknown
		}
	}
	return out
}

func (k *Kinds) binary(n *lang.Node) Kind {
	left, right := k.Of(n.Child("left")), k.Of(n.Child("right"))
	switch op := n.Child("operator"); {
	case op.Is("%") && (left == Text || left == Bytes):
		return left
	case op.Is("*") && (left == Number || left == Unknown) && right != Number:
		return right
	case op.Is("+", "*", "|", "&", "-", "^"):
		if left == Unknown && op.Is("+", "-") || left == Bool {
			return right
		}
		return left
	case op.Is("//", "**", "<<", ">>"):
		return Number
	case op.Is("/", "%") && left == Number:
		return Number
	}
	return Unknown
}

func (k *Kinds) call(n *lang.Node) Kind {
	f := k.a.File
	fn := n.Child("function")
	switch {
	case fn.Is("identifier"):
		name := f.Text(fn)
		if def := k.a.definition(name, fn); def != nil {
			return k.result(def)
		}
		if kind, ok := returns[name]; ok {
			return kind
		}
		return constructs[name]
	case fn.Is("attribute"):
		name := f.Text(fn.Child("attribute"))
		if class := k.classOf(fn.Child("object")); class != nil {
			for _, s := range k.a.Scopes {
				if s.Parent == class && s.Function && s.Node.Child("name") != nil && f.Text(s.Node.Child("name")) == name {
					return k.result(s)
				}
			}
		}
		if kind, ok := methods[name]; ok {
			if on := k.Of(fn.Child("object")); on == Bytes && kind == Text && name != "decode" {
				return Bytes
			}
			return kind
		}
		switch on := k.Of(fn.Child("object")); {
		case name == "copy" || on == Text && (name == "replace" || name == "translate" || name == "join" || name == "format"):
			return on
		case on == Dict && (name == "keys" || name == "values" || name == "items"):
			return Set
		case on.Ordered() && (name == "count" || name == "index"):
			return Number
		}
		return constructs[name]
	}
	return Unknown
}

// result is the kind of what a call of a function or class of the file gives.
func (k *Kinds) result(s *Scope) Kind {
	if !s.Function {
		name := k.a.File.Text(s.Node.Child("name"))
		if kind := constructs[name]; kind != Unknown {
			return kind
		}
		return Kind(name)
	}
	if s.Node.Children[0].Is("async") {
		return Unknown // a coroutine, for which nothing else stands
	}
	if t := s.Node.Child("return_type"); t != nil {
		return k.annotation(t)
	}
	var kinds []Kind
	generator := false
	if s.Body != nil {
		s.Body.Walk(func(n *lang.Node) bool {
			if n.Is("function_definition", "class_definition", "lambda") {
				return false
			}
			generator = generator || n.Is("yield")
			if n.Is("return_statement") && len(n.NamedChildren()) == 1 {
				kinds = append(kinds, k.Of(n.NamedChildren()[0]))
			}
			return true
		})
	}
	if generator {
		return Iterator
	}
	return merge(kinds)
}

// definition returns the function or class that a name means at n, nil when it
// is bound to anything else.
func (a *Analysis) definition(name string, n *lang.Node) *Scope {
	for _, b := range a.Names(n.Start) {
		if b.Name != name {
			continue
		}
		if b.Kind != Function && b.Kind != Class {
			return nil
		}
		for _, s := range a.Scopes {
			if def := s.Node.Child("name"); def != nil && def.Start == b.At {
				return s
			}
		}
	}
	return nil
}

// annotation is the kind that a type promises: of "X | None" that of X.
func (k *Kinds) annotation(t *lang.Node) Kind {
	text := strings.Trim(k.a.File.Text(t), `"' `)
	var kinds []Kind
	for _, part := range alternatives(text) {
		i := strings.IndexByte(part, '[')
		if i > 0 {
			part = part[:i]
		}
		part = strings.TrimSpace(part)
		part = part[strings.LastIndexByte(part, '.')+1:]
		kind := annotated[part]
		if kind == Unknown && k.a.className(part) {
			kind = Kind(part)
		}
		if kind == Unknown {
			return Unknown
		}
		kinds = append(kinds, kind)
	}
	return merge(kinds)
}

func (a *Analysis) className(name string) bool {
	for _, b := range a.Module().Bindings {
		if b.Name == name {
			return b.Kind == Class
		}
	}
	return false
}

// alternatives splits a union of types at its top level.
func alternatives(t string) []string {
	for _, head := range []string{"Optional[", "typing.Optional[", "Union[", "typing.Union["} {
		if strings.HasPrefix(t, head) && strings.HasSuffix(t, "]") {
			return split(t[len(head):len(t)-1], ',')
		}
	}
	return split(t, '|')
}

func split(t string, at byte) []string {
	var out []string
	depth, from := 0, 0
	for i := 0; i < len(t); i++ {
		switch t[i] {
		case '[', '(':
			depth++
		case ']', ')':
			depth--
		case at:
			if depth == 0 {
				out = append(out, strings.TrimSpace(t[from:i]))
				from = i + 1
			}
		}
	}
	return append(out, strings.TrimSpace(t[from:]))
}
