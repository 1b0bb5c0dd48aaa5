package mutate

import (
	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
)

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
	if len(as) == 1 && p.convertsNothing(n, own, as[0]) {
		return
	}
	switch {
	case conversions[own] && len(as) == 1 && len(args.NamedChildren()) == 1:
		if a := as[0]; !a.Is("generator_expression", "named_expression", "conditional_expression", "lambda") {
			p.replace(n, "drop "+own, p.operand(a))
		}
	case converters[own] && name.Field == "attribute" && len(as) == len(args.NamedChildren()) && len(as) <= 2:
		p.replace(n, "drop ."+own, p.text(n.Child("function").Child("object")))
	}
}

// convertsNothing reports whether a conversion is of what is that already, or
// what takes its result converts as well.
func (p *pass) convertsNothing(n *lang.Node, name string, arg *lang.Node) bool {
	kind := p.kind(arg)
	switch name {
	case "str":
		if kind == python.Text || n.Parent.Is("interpolation") || p.formatted(n) {
			return true
		}
	case "bool":
		return kind == python.Bool || decides(n) || n.Parent.Is("return_statement", "not_operator")
	case "int", "float":
		return n.Parent.Is("interpolation") && kind == python.Number
	case "tuple":
		return kind == python.Tuple || p.consumed(n)
	case "iter", "list", "set", "frozenset", "dict":
		return p.consumed(n) || p.fresh(arg)
	case "sorted":
		return n.Parent.Is("argument_list") && (p.text(callee(n.Parent.Parent)) == "set" || p.text(callee(n.Parent.Parent)) == "frozenset")
	}
	return false
}

// formatted: % and format make text of what they get.
func (p *pass) formatted(n *lang.Node) bool {
	q := n.Parent
	if q.Is("tuple") {
		n, q = q, q.Parent
	}
	return q.Is("binary_operator") && n.Field == "right" && q.Child("operator").Is("%") && p.kind(q.Child("left")) == python.Text ||
		q.Is("argument_list") && (p.text(callee(q.Parent)) == "format" || p.text(callee(q.Parent)) == "print")
}

// emptiable reports whether a value may be there and yet count as false: what
// is never empty or zero answers both questions alike.
func (p *pass) emptiable(n *lang.Node) bool {
	switch kind := p.kind(n); kind {
	case python.Number, python.Bool, python.Text, python.Bytes, python.List, python.Tuple, python.Dict, python.Set, python.Unknown, python.Absent:
		return true
	}
	return false
}

func noneTest(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 2 || !cs[1].Is("none") || !p.emptiable(cs[0]) {
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
	if !decides(n) || n.Parent.Is("assert_statement") || !p.emptiable(n) {
		return
	}
	if q := n.Parent; q.Is("not_operator") {
		p.replace(q, "not → is None", p.text(n)+" is None")
	} else if q.Is("if_statement", "elif_clause", "while_statement", "if_clause", "conditional_expression", "boolean_operator") {
		p.replace(n, "truth → is not None", p.text(n)+" is not None")
	}
}
