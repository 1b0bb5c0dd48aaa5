package mutate

import (
	"strings"

	"breakfix/internal/lang"
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
			p.replace(n, "list → tuple", "("+strings.TrimSuffix(strings.TrimSpace(t[1:len(t)-1]), ",")+",)")
		case "tuple":
			p.replace(n, "tuple → list", "["+t[1:len(t)-1]+"]")
		case "set":
			p.replace(n, "set → list", "["+t[1:len(t)-1]+"]")
		}
	case "none":
		if n.Parent.Is("assignment", "return_statement", "keyword_argument") {
			p.replace(n, "absent → empty", `""`)
			p.replace(n, "absent → 0", "0")
		}
	}
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
	"OrderedDict": "dict", "deque": "list", "str": "repr",
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
	case key.Is("identifier", "attribute") && !p.isNumeric(key):
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
		if r := cs[1]; r.Is("identifier", "attribute", "call", "subscript") && !typeLike(p.text(r)) && !(r.Is("call") && confusable[p.text(r.Child("function"))] != "") {
			p.replace(r, "compare with text", "str("+p.text(r)+")")
		}
	case "in", "not in":
		if l := cs[0]; l.Is("identifier", "attribute") {
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

var conversions = map[string]bool{
	"int": true, "str": true, "float": true, "bool": true, "bytes": true, "tuple": true, "frozenset": true, "sorted": true, "abs": true,
	"list": true, "set": true, "dict": true, "repr": true, "iter": true, "hash": true, "fspath": true, "abspath": true, "normpath": true, "normcase": true, "expanduser": true,
	"quote": true, "unquote": true, "escape": true, "unescape": true, "Decimal": true, "Fraction": true, "Path": true, "max": false,
}

var converters = map[string]bool{
	"strip": true, "lower": true, "upper": true, "encode": true, "decode": true, "casefold": true, "rstrip": true, "lstrip": true, "title": true,
	"expandtabs": true, "resolve": true, "absolute": true, "as_posix": true, "splitlines": false, "hex": true, "astimezone": true, "format": false,
}

func conversionDrop(p *pass, n *lang.Node) {
	name := callee(n)
	as := positional(n)
	args := n.Child("arguments")
	if name == nil || !args.Is("argument_list") {
		return
	}
	own := p.text(name)
	switch {
	case conversions[own] && len(as) == 1 && len(args.NamedChildren()) == 1:
		if a := as[0]; !a.Is("generator_expression", "named_expression", "conditional_expression", "lambda") {
			p.replace(n, "drop "+own, p.operand(a))
		}
	case converters[own] && name.Field == "attribute" && len(as) == len(args.NamedChildren()) && len(as) <= 2:
		p.replace(n, "drop ."+own, p.text(n.Child("function").Child("object")))
	}
}

func noneTest(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 2 || !cs[1].Is("none") {
		return
	}
	x := p.operand(cs[0])
	switch p.operator(n) {
	case "is", "==":
		if n.Parent.Is("comparison_operator") {
			return
		}
		p.replace(n, "is None → not", "not "+x)
	case "is not", "!=":
		p.replace(n, "is not None → truth", x)
	}
}

func truthTest(p *pass, n *lang.Node) {
	if !decides(n) || n.Parent.Is("assert_statement") {
		return
	}
	if q := n.Parent; q.Is("not_operator") {
		p.replace(q, "not → is None", p.text(n)+" is None")
	} else if q.Is("if_statement", "elif_clause", "while_statement", "if_clause", "conditional_expression", "boolean_operator") {
		p.replace(n, "truth → is not None", p.text(n)+" is not None")
	}
}
