package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

var arithmeticTo = map[string][]string{
	"+": {"-"}, "-": {"+"}, "*": {"+", "//"}, "/": {"*"}, "//": {"*", "%"}, "%": {"//", "*"}, "**": {"*"},
}

func arithmetic(p *pass, n *lang.Node) {
	op := n.Child("operator")
	if p.hasText(n) {
		return
	}
	for _, to := range arithmeticTo[op.Kind] {
		if !neutral(op.Kind, to, p.text(n.Child("right"))) {
			p.offer(n, op.Kind+" → "+to, tree.Edit{Start: op.Start, End: op.End, New: to})
		}
	}
}

// neutral: the exchange changes nothing, as x * 1 and x // 1 for numbers.
func neutral(from, to, right string) bool {
	switch right {
	case "0", "0.0", "False":
		return (from == "+" || from == "-") && (to == "+" || to == "-")
	case "1", "1.0":
		return strings.Contains("* / // **", from) && strings.Contains("* / // **", to)
	}
	return false
}

// hasText: an operand is text or a container, for which other rules hold.
func (p *pass) hasText(n *lang.Node) bool {
	for _, c := range []*lang.Node{n.Child("left"), n.Child("right")} {
		if p.kind(c).Ordered() {
			return true
		}
		if c.Is("binary_operator") && p.hasText(c) {
			return true
		}
	}
	return false
}

var bitwiseTo = map[string][]string{"&": {"|"}, "|": {"&"}, "^": {"&", "|"}, "<<": {">>"}, ">>": {"<<"}}

func bitwise(p *pass, n *lang.Node) {
	op := n.Child("operator")
	if op.Kind == "|" && (typeLike(p.text(n.Child("left"))) || typeLike(p.text(n.Child("right")))) {
		return // a union of types
	}
	for _, to := range bitwiseTo[op.Kind] {
		p.offer(n, op.Kind+" → "+to, tree.Edit{Start: op.Start, End: op.End, New: to})
	}
}

func unaryDrop(p *pass, n *lang.Node) {
	arg := n.Child("argument")
	if arg == nil || n.Children[0].Kind == "+" {
		return
	}
	p.replace(n, "drop "+n.Children[0].Kind, p.text(arg))
}

var inverseAssign = map[string]string{
	"+=": "-=", "-=": "+=", "*=": "//=", "/=": "*=", "//=": "*=", "%=": "//=", "&=": "|=", "|=": "&=", "^=": "&=", "<<=": ">>=", ">>=": "<<=",
}

func compoundAssign(p *pass, n *lang.Node) {
	op := n.Child("operator")
	edit := func(to string) { p.offer(n, op.Kind+" → "+to, tree.Edit{Start: op.Start, End: op.End, New: to}) }
	if !p.firstChange(n) {
		edit("=")
	}
	if to := inverseAssign[op.Kind]; to != "" && !p.kind(n.Child("right")).Ordered() &&
		!neutral(strings.TrimSuffix(op.Kind, "="), strings.TrimSuffix(to, "="), p.text(n.Child("right"))) {
		edit(to)
	}
}

// firstChange reports whether an augmented assignment comes right behind the
// first, empty value: adding to nothing is assigning.
func (p *pass) firstChange(n *lang.Node) bool {
	prev := n.Parent.Prev()
	for prev.Is("comment") {
		prev = prev.Prev()
	}
	if prev == nil || !n.Child("operator").Is("+=", "|=") {
		return false
	}
	left, right := soleAssignment(prev)
	if left == nil || p.text(left) != p.text(n.Child("left")) {
		return false
	}
	switch p.text(right) {
	case "0", `""`, "''", "[]", "set()":
		return true
	}
	return false
}

func operandSwap(p *pass, n *lang.Node) {
	left, right, op := n.Child("left"), n.Child("right"), n.Child("operator")
	switch op.Kind {
	case "-", "/", "//", "**", "<<", ">>", "@":
	case "%":
		if left.Is("string", "concatenated_string") {
			return
		}
	case "+":
		if !p.hasText(n) {
			return
		}
	default:
		return
	}
	p.offer(n, "swap around "+op.Kind, tree.Edit{Start: left.Start, End: left.End, New: p.operand(right)},
		tree.Edit{Start: right.Start, End: right.End, New: p.operand(left)})
}

func comparisonSwap(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 2 {
		return
	}
	switch op := p.operator(n); op {
	case "<", "<=", ">", ">=":
		p.swap(n, "swap around "+op, cs[0], cs[1])
	}
}

// operator returns the operator of a comparison of two operands.
func (p *pass) operator(n *lang.Node) string {
	cs := n.NamedChildren()
	return strings.Join(strings.Fields(string(p.f.Source[cs[0].End:cs[len(cs)-1].Start])), " ")
}

func chainBreak(p *pass, n *lang.Node) {
	left, right, op := n.Child("left"), n.Child("right"), n.Child("operator")
	if op.Is("%") && p.hasText(n) {
		return // formatting
	}
	if _, _, ok := p.plusOne(n); ok {
		return // off_by_one_shift is that
	}
	if op.Is("+", "-", "*", "/", "//", "%", "|", "&") && !typeLike(p.text(right)) {
		if !p.neutralTerm(op.Kind, right) {
			p.replace(n, "drop "+op.Kind+" "+p.text(right), p.text(left))
		}
		if op.Is("+", "*", "|", "&") && !p.neutralTerm(op.Kind, left) {
			p.replace(n, "drop "+p.text(left)+" "+op.Kind, p.text(right))
		}
	}
}

func divisionRounding(p *pass, n *lang.Node) {
	op := n.Child("operator")
	if q := n.Parent; q.Is("argument_list") && p.text(callee(q.Parent)) == "int" {
		return // which rounds
	}
	if to := map[string]string{"/": "//", "//": "/"}[op.Kind]; to != "" && !p.hasText(n) {
		if !(op.Kind == "/" && typeLike(p.text(n.Child("left")))) {
			p.offer(n, op.Kind+" → "+to, tree.Edit{Start: op.Start, End: op.End, New: to})
		}
	}
}

func roundingCall(p *pass, n *lang.Node) {
	fn := n.Child("function")
	name := p.text(fn)
	to := map[string]string{
		"math.floor": "math.ceil", "math.ceil": "math.floor", "floor": "ceil", "ceil": "floor", "math.trunc": "math.ceil",
	}[name]
	if to == "" && name == "round" && len(positional(n)) == 1 {
		to = "int"
	}
	if to == "" && name == "int" && len(positional(n)) == 1 && positional(n)[0].Is("binary_operator") {
		to = "round"
	}
	if to != "" {
		p.replace(fn, name+" → "+to, to)
	}
}
