package builtin

import (
	"strings"

	"breakfix/internal/tree"
)

var (
	comparisons = []string{"<", "<=", ">", ">=", "==", "!=", "is", "is not", "in", "not in"}
	arithmetic  = []string{"+", "-", "*", "/", "//", "%", "**"}
	bitwise     = []string{"&", "|", "^", "<<", ">>"}
	jumps       = []string{"break", "continue", "return", "pass"}
)

// likelyComparison are the exchanges that the bank makes, read backwards.
var likelyComparison = map[string]string{"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in"}

// opposite are the comparisons that hold where the others do not.
var opposite = map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in"}

// visit offers the repairs of every node on lines that the span reaches.
func (g *generator) visit(root *node) {
	root.walk(func(n *node) bool {
		if n != root && g.span.line(n.row, n.last) < unreachable && !g.reaches(n) {
			return false
		}
		switch n.kind {
		case "comparison_operator":
			g.comparison(n)
		case "binary_operator":
			g.binary(n)
		case "boolean_operator":
			g.boolean(n)
		case "not_operator":
			g.turning(n, g.emit(kindNegate, n, n.replace(n.child("argument").text(g.src)), "take out not", 1))
			if inner := bare(n.child("argument")); inner != n.child("argument") {
				g.emit(kindNegate, n, n.replace(inner.text(g.src)), "take out not", 1)
			}
		case "parenthesized_expression":
			if ps := n.parts(); len(ps) == 1 {
				g.emit(kindUnwrap, n, n.replace(ps[0].text(g.src)), "take off the brackets", 0.1)
			}
		case "unary_operator":
			g.emit(kindNegate, n, n.replace(n.child("argument").text(g.src)), "take out the sign", 1)
			g.literal(n)
		case "integer", "float":
			if n.parent.kind != "unary_operator" {
				g.literal(n)
			}
		case "true", "false", "none":
			g.constant(n)
		case "string":
			g.quoted(n)
			return false
		case "identifier":
			g.identifier(n)
		case "attribute":
			g.attribute(n)
		case "call":
			g.call(n)
		case "subscript":
			g.subscript(n)
		case "keyword_argument":
			g.keyword(n)
		case "await":
			if ps := n.parts(); len(ps) == 1 {
				g.emit(kindAwait, n, n.replace(ps[0].text(g.src)), "take out await", 1)
			}
		case "conditional_expression":
			if ps := n.parts(); len(ps) == 3 {
				g.turning(ps[1], g.swap(kindBranches, n, ps[0], ps[2], "exchange the two values", 1))
				g.condition(ps[1])
			}
		case "list", "tuple", "dictionary", "set", "expression_list", "pattern_list":
			g.elements(n)
		case "slice":
			g.slice(n)
		case "for_statement", "for_in_clause":
			if it := n.child("right"); it != nil {
				g.wrap(it, "loop", []string{"reversed", "list", "sorted", "enumerate"})
			}
		}
		if expression(n) {
			g.offset(n)
		}
		return true
	})
}

// reaches reports whether a node of many lines has lines within the span.
func (g *generator) reaches(n *node) bool {
	lo, hi := min(g.span.first, g.span.winFirst), max(g.span.last, g.span.winLast)
	return n.row <= hi && n.last >= lo
}

// expression reports whether n is a value that stands where a value is read.
func expression(n *node) bool {
	switch n.kind {
	case "identifier", "attribute", "call", "subscript", "integer", "binary_operator", "parenthesized_expression":
	default:
		return false
	}
	switch n.parent.kind {
	case "attribute", "keyword_argument", "parameters", "default_parameter", "dotted_name", "import_from_statement", "aliased_import",
		"function_definition", "class_definition", "type", "decorator", "global_statement", "nonlocal_statement", "except_clause", "lambda_parameters",
		"pattern_list", "typed_parameter", "for_statement", "for_in_clause", "expression_statement", "with_item", "as_pattern":
		return n.parent.kind == "keyword_argument" && n.field == "value" || (n.parent.kind == "for_statement" || n.parent.kind == "for_in_clause") && n.field == "right" && n.kind != "call"
	case "assignment", "augmented_assignment":
		return n.field == "right"
	case "call":
		return false
	case "comparison_operator", "argument_list", "return_statement", "binary_operator", "subscript", "slice", "conditional_expression":
		return n.field != "value" || n.parent.kind != "subscript"
	}
	return false
}

func (g *generator) comparison(n *node) {
	ps := n.parts()
	if len(ps) != 2 {
		return
	}
	gap := strings.TrimSpace(string(g.src[ps[0].end:ps[1].start]))
	old := strings.Join(strings.Fields(gap), " ")
	if gap == "" {
		return
	}
	at := ps[0].end + strings.Index(string(g.src[ps[0].end:ps[1].start]), gap)
	none := ps[1].kind == "none"
	for _, op := range comparisons {
		w := 0.15
		if likelyComparison[old] == op {
			w = 1
		} else if none && !strings.HasPrefix(op, "is") || strings.HasPrefix(old, "is") != strings.HasPrefix(op, "is") || strings.Contains(old, "in") != strings.Contains(op, "in") {
			w = 0.03
		}
		if op != old && g.emit(kindCompare, n, []tree.Edit{{Start: at, End: at + len(gap), New: op}}, old+" → "+op, w) {
			g.turning(n, opposite[old] == op)
		}
	}
	left := ps[0].text(g.src)
	g.swap(kindSwap, n, ps[0], ps[1], "", 0.6)
	if none {
		switch old {
		case "is":
			g.emit(kindNone, n, n.replace("not "+left), "test for truth, not None", 1)
			g.emit(kindNone, n, n.replace(left), "test for truth, not None", 0.3)
		case "is not":
			g.emit(kindNone, n, n.replace(left), "test for truth, not None", 1)
			g.emit(kindNone, n, n.replace("not "+left), "test for truth, not None", 0.3)
		}
	}
	if old == "==" || old == "!=" {
		g.emit(kindCompare, n, n.replace(left), "keep the left side", 0.05)
		if v, err := parseInt(ps[1].text(g.src)); err == nil { // none, one or more of something
			for _, to := range [...]string{"<= " + itoa(v+1), "<= " + itoa(v), "> " + itoa(v+1), "> " + itoa(v)} {
				g.emit(kindCompare, n, n.replace(left+" "+to), old+" → "+to, 0.05)
			}
		}
	}
}

func (g *generator) binary(n *node) {
	left, right, op := n.child("left"), n.child("right"), n.child("operator")
	if left == nil || right == nil || op == nil {
		return
	}
	old := op.text(g.src)
	likely := map[string]string{"+": "-", "-": "+", "*": "/", "/": "*", "//": "/", "%": "/", "**": "*", "&": "|", "|": "&", "^": "&", "<<": ">>", ">>": "<<"}
	for _, family := range [][]string{arithmetic, bitwise} {
		for _, o := range family {
			w := 0.25
			if likely[old] == o {
				w = 1
			}
			if o != old && containsString(family, old) {
				g.emit(kindArith, n, op.replace(o), old+" → "+o, w)
			}
		}
	}
	one := right.text(g.src) == "1" && (old == "+" || old == "-")
	if one {
		g.emit(kindOffset, n, n.replace(left.text(g.src)), "take out "+old+" 1", 1.5)
		flip := "+"
		if old == "+" {
			flip = "-"
		}
		g.emit(kindOffset, n, op.replace(flip), old+" 1 → "+flip+" 1", 0.7)
	}
	g.emit(kindDropTerm, n, n.replace(left.text(g.src)), "keep "+clip(left.text(g.src)), 0.6)
	g.emit(kindDropTerm, n, n.replace(right.text(g.src)), "keep "+clip(right.text(g.src)), 0.4)
	if old != "+" && old != "*" && old != "&" && old != "|" || left.kind == "string" || left.kind == "list" {
		g.swap(kindSwap, n, left, right, "", 1)
	} else {
		g.swap(kindSwap, n, left, right, "", 0.3)
	}
	if a, b := bare(left), bare(right); a != left || b != right {
		g.emit(kindSwap, n, n.replace(b.text(g.src)+" "+old+" "+a.text(g.src)), "swap "+clip(a.text(g.src))+" and "+clip(b.text(g.src)), 0.2)
	}
}

func containsString(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (g *generator) boolean(n *node) {
	left, right, op := n.child("left"), n.child("right"), n.child("operator")
	if left == nil || right == nil || op == nil {
		return
	}
	to := "or"
	if op.kind == "or" {
		to = "and"
	}
	g.emit(kindBool, n, op.replace(to), op.kind+" → "+to, 1)
	g.emit(kindDropCond, n, n.replace(left.text(g.src)), "keep "+clip(left.text(g.src)), 0.5)
	g.emit(kindDropCond, n, n.replace(right.text(g.src)), "keep "+clip(right.text(g.src)), 0.5)
	g.swap(kindSwap, n, left, right, "", 0.2)
	for _, side := range []*node{left, right} {
		g.negated(side, 0.4)
	}
}

// negated offers the opposite of a condition.
func (g *generator) negated(c *node, weight float64) {
	text := c.text(g.src)
	switch c.kind {
	case "not_operator":
		return // visit takes the not out
	case "comparison_operator", "boolean_operator", "conditional_expression", "named_expression":
		g.turning(c, g.emit(kindNegate, c, c.replace("not ("+text+")"), "negate "+clip(text), weight*0.5))
		if c.kind == "comparison_operator" {
			g.turning(c, g.emit(kindNegate, c, c.replace("not "+text), "negate "+clip(text), weight*0.3))
		}
	default:
		g.turning(c, g.emit(kindNegate, c, c.replace("not "+text), "negate "+clip(text), weight))
		if c.kind == "parenthesized_expression" {
			return
		}
	}
}

// literal offers other numbers.
func (g *generator) literal(n *node) {
	text := n.text(g.src)
	if n.kind == "unary_operator" && !isDigits(strings.TrimPrefix(text, "-")) {
		return
	}
	offer := func(to string, w float64) {
		if to != text {
			g.emit(kindLiteral, n, n.replace(to), text+" → "+to, w)
		}
	}
	if v, err := parseInt(text); err == nil {
		offer(itoa(v-1), 1)
		offer(itoa(v+1), 1)
		offer(itoa(-v), 0.5)
		offer("0", 0.7)
		offer("1", 0.8)
		offer("2", 0.2)
		offer("-1", 0.3)
		offer("None", 0.4)
		offer(text+".0", 0.1)
		offer("'"+text+"'", 0.05)
		offer("\""+text+"\"", 0.05)
		offer("True", 0.05)
		offer("False", 0.05)
	} else if whole, ok := strings.CutSuffix(text, ".0"); ok {
		offer(whole, 1)
	}
	for i, x := range g.facts.numbers {
		offer(x, 0.25/float64(1+i/4))
	}
	for _, x := range g.hints.numbers {
		offer(x, 0.1)
	}
}

func (g *generator) constant(n *node) {
	text := n.text(g.src)
	if n.parent.kind == "if_statement" || n.parent.kind == "while_statement" || n.parent.kind == "elif_clause" || n.parent.kind == "conditional_expression" && n.index > 0 {
		g.forced(n)
	}
	if n.kind != "none" && n.parent.kind == "return_statement" { // what it should have asked
		for _, c := range g.tests(n) {
			g.emit(kindReturn, n, n.replace(c), text+" → "+clip(c), 0.02)
		}
	}
	offer := func(w float64, tos ...string) {
		for _, to := range tos {
			if to != text {
				g.turning(n, g.emit(kindLiteral, n, n.replace(to), text+" → "+to, w) && (text == "True" && to == "False" || text == "False" && to == "True"))
			}
		}
	}
	switch n.kind {
	case "true":
		offer(1.5, "False")
		offer(0.2, "None", "1", "0")
	case "false":
		offer(1.5, "True")
		offer(0.3, "None", "0")
	case "none":
		offer(0.4, "[]", "{}", "()", "0", "''", "False", "True", `""`, "1", "self")
		for i, x := range g.facts.numbers {
			offer(0.1/float64(1+i/4), x)
		}
	}
	if n.kind == "none" || n.parent.kind == "return_statement" || n.parent.kind == "default_parameter" || n.parent.kind == "assignment" {
		g.names(n, kindName, 0.6)
	}
}

// quoted offers other strings, and what a string may have been made from.
func (g *generator) quoted(n *node) {
	if n.parent.kind == "expression_statement" || n.last > n.row {
		return
	}
	text := n.text(g.src)
	body := strings.Trim(text, `"'`)
	offer := func(to string, w float64) {
		if to != text {
			g.emit(kindString, n, n.replace(to), clip(text)+" → "+clip(to), w)
		}
	}
	if rest, ok := strings.CutPrefix(text, "b"); ok {
		offer(rest, 1.2)
	} else {
		offer("b"+text, 0.4)
	}
	if isDigits(body) {
		offer(body, 2)
	}
	if strings.Contains("False True None [] {} ()", body) && body != "" {
		offer(body, 2)
	}
	if body == "" {
		offer("None", 0.8)
		offer("[]", 0.1)
		offer(`" "`, 0.1)
	}
	if up := strings.ToUpper(body); up != body {
		offer(strings.Replace(text, body, up, 1), 0.2)
	}
	if low := strings.ToLower(body); low != body {
		offer(strings.Replace(text, body, low, 1), 0.4)
	}
	for i, s := range g.facts.strings {
		w := 0.5 / float64(1+i/20)
		if similar(strings.Trim(s, `"'`), body) {
			w *= 3
		}
		offer(s, w*g.hints.said(strings.Trim(s, `"'`)))
	}
	for _, s := range g.hints.strings {
		offer(s, 0.3)
	}
}

// similar reports whether two words share their first or last letters.
func similar(a, b string) bool {
	if len(a) < 3 || len(b) < 3 {
		return false
	}
	return a[:3] == b[:3] || a[len(a)-3:] == b[len(b)-3:]
}

// offset offers + 1 and - 1.
func (g *generator) offset(n *node) {
	text := n.text(g.src)
	w := 0.25
	switch n.parent.kind {
	case "subscript", "slice", "comparison_operator":
		w = 0.8
	case "argument_list":
		if c := n.parent.parent.child("function"); c != nil && c.text(g.src) == "range" {
			w = 1
		}
	case "binary_operator":
		if n.parent.child("right").text(g.src) == "1" {
			w = 0.1
		}
	}
	if n.kind == "integer" {
		w *= 0.2
	}
	g.emit(kindOffset, n, n.replace(text+" + 1"), clip(text)+" + 1", w)
	g.emit(kindOffset, n, n.replace(text+" - 1"), clip(text)+" - 1", w)
}
