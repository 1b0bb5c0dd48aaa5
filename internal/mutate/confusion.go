package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// carriesValue reports whether n is what an assignment, a return, a keyword or
// a default hands on, a key, or an operand of a comparison: where a value of
// the wrong type travels on before it shows.
func carriesValue(n *lang.Node) bool {
	q := n.Parent
	switch {
	case q.Is("assignment"):
		return n.Field == "right"
	case q.Is("keyword_argument", "default_parameter", "typed_default_parameter"):
		return n.Field == "value"
	case q.Is("return_statement", "comparison_operator"):
		return true
	case q.Is("subscript"):
		return n.Field == "subscript"
	case q.Is("pair"):
		return true
	}
	return false
}

func confuseValue(p *pass, n *lang.Node) {
	if !carriesValue(n) || n.Parent.Is("comparison_operator") && p.hasIs(n.Parent) {
		return
	}
	t := p.text(n)
	switch n.Kind {
	case "integer":
		if ordered(p, n.Parent) {
			return // an order of text and number is a TypeError at once
		}
		p.replace(n, "number → text", `"`+t+`"`)
	case "float":
		if i := strings.IndexByte(t, '.'); i > 0 && strings.Trim(t[i+1:], "0123456789") == "" && strings.Trim(t[i+1:], "0") != "" {
			p.replace(n, "float → int", t[:i])
		}
	case "string":
		if n.First("interpolation") != nil || ordered(p, n.Parent) {
			return
		}
		switch quote := t[:strings.IndexAny(t, `"'`)]; {
		case t == `""` || t == "''":
			p.replace(n, "empty → absent", "None")
		case n.Parent.Is("default_parameter", "typed_default_parameter") || n.Parent.Is("pair") && n.Field == "value":
			return // nobody may come to use it
		case quote == "" && ascii(t) && !strings.ContainsAny(t, "\n\\"):
			p.replace(n, "text → bytes", "b"+t)
		case strings.EqualFold(quote, "b"):
			p.replace(n, "bytes → text", t[1:])
		}
	case "list", "dictionary", "set", "tuple":
		if len(n.NamedChildren()) == 0 {
			if !n.Parent.Is("comparison_operator") {
				p.replace(n, "empty → absent", "None")
			}
			return
		}
		switch n.Kind {
		case "list":
			if !p.listMatters(n) {
				return
			}
			p.replace(n, "list → tuple", "("+strings.TrimSuffix(strings.TrimSpace(t[1:len(t)-1]), ",")+",)")
		case "tuple":
			if !p.tupleMatters(n) {
				return
			}
			p.replace(n, "tuple → list", "["+t[1:len(t)-1]+"]")
		case "set":
			if n.Parent.Is("comparison_operator") {
				return // in a list as well
			}
			p.replace(n, "set → list", "["+t[1:len(t)-1]+"]")
		}
	case "none":
		if n.Parent.Is("assignment", "return_statement", "keyword_argument") {
			p.replace(n, "absent → empty", `""`)
			p.replace(n, "absent → 0", "0")
		}
	}
}

// confuseUndo exchanges what looks like a list, a tuple or a set, wherever it is.
func confuseUndo(p *pass, n *lang.Node) {
	t := p.text(n)
	if len(t) < 2 || !carriesValue(n) || n.Is("tuple") && t[0] != '(' {
		return
	}
	inner := strings.TrimSuffix(strings.TrimSpace(t[1:len(t)-1]), ",")
	if inner == "" {
		return
	}
	switch n.Kind {
	case "list":
		if len(n.NamedChildren()) > 1 {
			p.replace(n, "list → tuple", "("+inner+")")
		} else {
			p.replace(n, "list → tuple", "("+inner+",)")
		}
		p.replace(n, "list → set", "{"+inner+"}")
	case "tuple":
		p.replace(n, "tuple → list", "["+inner+"]")
	}
}

// constructUndo exchanges constructors, wherever they are.
func constructUndo(p *pass, n *lang.Node) {
	name := callee(n)
	if name == nil || !n.Child("function").Is("identifier") {
		return
	}
	own := p.text(name)
	for _, from := range []string{"int", "float", "tuple", "list", "set", "frozenset", "bytes", "deque", "str"} {
		if confusable[from] == own {
			p.replace(name, own+" → "+from, from)
		}
	}
}

// listMatters reports whether what gets a list can tell it from a tuple: a test
// that is handed it, or code that adds to it.
func (p *pass) listMatters(n *lang.Node) bool {
	switch q := n.Parent; {
	case q.Is("return_statement"):
		return true
	case q.Is("comparison_operator"):
		op := p.operator(q)
		return op == "==" || op == "!="
	case q.Is("assignment"):
		if around := p.around(n, q.Child("left")); around != nil {
			return p.changes(around, p.text(q.Child("left")), q.End, false) || p.isReturned(around, p.text(q.Child("left")))
		}
	}
	return false
}

// around is where an assigned name or attribute is used: its function or class.
func (p *pass) around(n, left *lang.Node) *lang.Node {
	var s *python.Scope
	switch {
	case left.Is("identifier"):
		s = p.a.FunctionAt(n.Start)
	case left.Is("attribute"):
		s = p.a.ClassAt(n.Start)
	}
	if s == nil {
		return nil
	}
	return s.Node
}

func (p *pass) isReturned(around *lang.Node, name string) bool {
	found := false
	around.Walk(func(n *lang.Node) bool {
		found = found || n.Is("return_statement") && len(n.NamedChildren()) == 1 && p.text(n.NamedChildren()[0]) == name
		return !found
	})
	return found
}

// tupleMatters reports whether what gets a tuple can tell it from a list: it is
// a key, or compared with one. Most that is returned is only taken apart.
func (p *pass) tupleMatters(n *lang.Node) bool {
	switch q := n.Parent; {
	case q.Is("subscript"):
		return true
	case q.Is("pair"):
		return n.Field == "key"
	case q.Is("comparison_operator"):
		op := p.operator(q)
		return op == "==" || op == "!=" || (op == "in" || op == "not in") && q.NamedChildren()[0] == n
	case q.Is("return_statement"):
		fn := p.a.FunctionAt(n.Start)
		return fn != nil && (strings.Contains(strings.ToLower(fn.Name), "key") || strings.Contains(strings.ToLower(fn.Name), "hash"))
	case q.Is("assignment"):
		return strings.HasSuffix(strings.ToLower(p.text(q.Child("left"))), "key")
	}
	return false
}

func (p *pass) hasIs(n *lang.Node) bool {
	op := p.operator(n)
	return strings.HasPrefix(op, "is")
}

func ordered(p *pass, n *lang.Node) bool {
	return n.Is("comparison_operator") && strings.ContainsAny(p.operator(n), "<>")
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// confusable are constructors of types that are taken for each other.
var confusable = map[string]string{
	"int": "float", "float": "int", "tuple": "list", "list": "tuple", "set": "list", "frozenset": "tuple", "bytes": "bytearray",
	"deque": "list", "str": "repr",
}

// constructorMatters reports whether the exchange of constructors can show.
func (p *pass) constructorMatters(n *lang.Node, from, to string, as []*lang.Node) bool {
	switch from {
	case "list", "tuple", "set", "frozenset", "deque", "bytes":
		if p.consumed(n) || n.Parent.Is("comparison_operator") && strings.HasSuffix(p.operator(n.Parent), "in") {
			return false
		}
	case "int":
		return !n.Parent.Is("binary_operator", "comparison_operator", "argument_list")
	case "float":
		return len(as) == 1 && p.kind(as[0]) != python.Number || as[0].Is("string")
	case "str":
		return len(as) == 1 && (p.kind(as[0]) == python.Text || p.kind(as[0]) == python.Unknown)
	}
	return true
}

func confuseCall(p *pass, n *lang.Node) {
	name := callee(n)
	as := positional(n)
	if name == nil {
		return
	}
	own := p.text(name)
	if to := confusable[own]; to != "" && n.Child("function").Is("identifier") && len(as) <= 1 && n.Child("arguments").Is("argument_list") && (len(as) == 1 || own != "str") {
		if len(as) == 0 && (own == "int" || own == "float") {
			return
		}
		if !p.constructorMatters(n, own, to, as) {
			return
		}
		p.replace(name, own+" → "+to, to)
		if own == "set" && len(as) == 0 || own == "list" && len(as) == 0 {
			p.replace(n, "empty → absent", "None")
		}
	}
	if !n.Parent.Is("assignment", "return_statement", "pair", "subscript") || !carriesValue(n) {
		return
	}
	if own == "len" || own == "int" || own == "sum" || own == "abs" || own == "round" || own == "ord" {
		p.replace(n, "number → text", "str("+p.text(n)+")")
	}
}

func confuseKey(p *pass, n *lang.Node) {
	ss := n.ChildrenOf("subscript")
	if len(ss) != 1 || typeLike(p.text(n.Child("value"))) {
		return
	}
	key := ss[0]
	switch {
	case key.Is("identifier", "attribute") && !p.isNumeric(key) && !p.textual(key):
		p.replace(key, "key → text", "str("+p.text(key)+")")
	case key.Is("call") && p.text(key.Child("function")) == "str" && len(positional(key)) == 1:
		p.replace(key, "text → key", p.text(positional(key)[0]))
	}
}

func confuseOperand(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 2 {
		return
	}
	switch op := p.operator(n); op {
	case "==", "!=":
		if r := cs[1]; !p.textual(r) && !p.textual(cs[0]) && r.Is("identifier", "attribute", "call", "subscript") && !typeLike(p.text(r)) && !(r.Is("call") && confusable[p.text(r.Child("function"))] != "") {
			p.replace(r, "compare with text", "str("+p.text(r)+")")
		}
	case "in", "not in":
		if l := cs[0]; l.Is("identifier", "attribute") && !p.textual(l) && p.kind(cs[1]) != python.Text {
			p.replace(l, "look up text", "str("+p.text(l)+")")
		}
	}
}

// confuseResult looks at names that promise a number and are handed on.
func confuseResult(p *pass, n *lang.Node) {
	v := n.Child("right")
	if n.Is("return_statement") && len(n.NamedChildren()) == 1 {
		v = n.NamedChildren()[0]
	}
	if v == nil || !v.Is("identifier", "attribute", "binary_operator") || !p.isNumeric(v) {
		return
	}
	p.offer(n, "number → text", tree.Edit{Start: v.Start, End: v.End, New: "str(" + p.text(v) + ")"})
}
