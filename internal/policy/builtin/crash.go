package builtin

import "strings"

// What an exception says of a value that cannot be what the code takes it for: a repair
// that asks first whether it is None, empty or zero is likelier by this much, in nats.
const (
	crashBonus     = 6.0
	culpritWeight  = 2.0 // beside other terms of a condition
	recursionBonus = 3.0 // where a function that never ends decides whether to go on
)

// crashed lists the expressions that the exception is about, on the line that raised it.
func (g *generator) crashed() []string {
	line := g.raisedAt()
	blames := blamed(g.view.Failure.Kind, g.view.Failure.Message)
	if line == 0 || blames == nil {
		return nil
	}
	seen := map[string]bool{}
	var out []string
	g.root.walk(func(n *node) bool {
		if n.row > line || n.last < line {
			return false
		}
		if of := blames(n); n.row == line && of != nil && of.last == of.row && of.end-of.start < 40 {
			if text := of.text(g.src); isName(text) || strings.HasSuffix(text, "]") || strings.HasSuffix(text, ")") {
				add(&out, seen, text)
			}
		}
		return true
	})
	return out
}

// unasked leaves of expressions those that no condition of the function asks about yet: to ask
// again does not help.
func (g *generator) unasked(of []string) (out []string) {
	for _, e := range of {
		known := false
		g.facts.function.walk(func(n *node) bool {
			if c := n.child("condition"); c != nil && asks(c.text(g.src), []string{e}) {
				known = true
			}
			return !known
		})
		if !known {
			out = append(out, e)
		}
	}
	return out
}

// blamed returns a function that gives the part of a node that an exception of this kind
// is about; nil where the kind says nothing.
func blamed(kind, message string) func(*node) *node {
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(message, w) {
				return true
			}
		}
		return false
	}
	child := func(kind, field string) func(*node) *node {
		return func(n *node) *node {
			if n.kind == kind {
				return n.child(field)
			}
			return nil
		}
	}
	switch {
	case kind == "AttributeError" && says("'NoneType'"):
		return child("attribute", "object")
	case kind == "TypeError" && says("'NoneType' object is not subscriptable"):
		return child("subscript", "value")
	case kind == "TypeError" && says("'NoneType'"):
		return func(n *node) *node {
			if n.kind == "identifier" && n.parent.kind != "call" && n.parent.kind != "attribute" {
				return n
			}
			return nil
		}
	case kind == "IndexError":
		return func(n *node) *node {
			if n.kind == "subscript" {
				return n.child("value")
			}
			if n.kind == "attribute" && n.field == "function" {
				return n.child("object")
			}
			return nil
		}
	case kind == "ValueError" && says("to unpack"):
		return child("assignment", "right")
	case kind == "ValueError" && says("empty sequence", "argument is empty"):
		return func(n *node) *node {
			if n.parent != nil && n.parent.kind == "argument_list" {
				return n
			}
			return nil
		}
	case kind == "ZeroDivisionError":
		return func(n *node) *node {
			if n.kind == "binary_operator" || n.kind == "augmented_assignment" {
				return n.child("right")
			}
			return nil
		}
	}
	return nil
}

// asks reports whether a text that a move puts in asks about one of some expressions.
func asks(text string, of []string) bool {
	for _, e := range of {
		if text == e {
			return true
		}
		for at := 0; ; {
			i := strings.Index(text[at:], e)
			if i < 0 {
				break
			}
			from, to := at+i, at+i+len(e)
			at = to
			if from > 0 && (isWord(rune(text[from-1])) || text[from-1] == '.') || to < len(text) && (isWord(rune(text[to])) || text[to] == '.' || text[to] == '[') {
				continue
			}
			before, after := text[:from], text[to:]
			for _, w := range [...]string{"not ", "if ", "and ", "or ", "len("} {
				if strings.HasSuffix(before, w) {
					return true
				}
			}
			for _, w := range [...]string{" is ", ":", " and ", " or ", " == ", " != ", " > ", " >= ", " < ", " <= "} {
				if strings.HasPrefix(after, w) {
					return true
				}
			}
		}
	}
	return false
}

// crash gives each draft what the exception adds to its log prior.
func (g *generator) crash() func(*draft) float64 {
	of, endless := g.crashed(), g.endless()
	if g.facts.function == nil || len(of) == 0 && len(endless) == 0 {
		return func(*draft) float64 { return 0 }
	}
	unasked := g.unasked(of)
	return func(d *draft) float64 {
		bonus := 0.0
		switch d.kind {
		case kindCondition, kindAddCond, kindGuard, kindNone:
			for _, e := range d.edits {
				if asks(e.New, unasked) && !asks(string(g.src[e.Start:e.End]), unasked) {
					bonus = crashBonus
				}
			}
		case kindCompare, kindLiteral: // it is asked, and not well
			if asks(string(g.src[d.start:d.end]), of) {
				bonus = crashBonus
			}
		}
		for _, n := range endless {
			if int(d.start) >= n.start && int(d.end) <= n.end {
				return max(bonus, recursionBonus)
			}
		}
		return bonus
	}
}

// culprits offers to ask first, where the function asks anyway, whether what the exception is
// about is None, empty or zero.
func (g *generator) culprits() {
	of := g.crashed()
	if len(of) == 0 || g.facts.function == nil {
		return
	}
	of = g.unasked(of)
	none := strings.Contains(g.view.Failure.Message, "NoneType")
	g.facts.function.walk(func(n *node) bool {
		c := n.child("condition")
		if c == nil || c.last > c.row {
			return true
		}
		text := c.text(g.src)
		for _, e := range of {
			no, yes := "not "+e, e
			if none {
				no, yes = e+" is None", e+" is not None"
			}
			if n.kind == "while_statement" {
				g.emit(kindAddCond, c, c.replace(text+" and "+yes), "… and "+yes, culpritWeight)
				g.emit(kindAddCond, c, c.replace(yes+" and "+text), yes+" and …", culpritWeight)
			} else {
				g.emit(kindAddCond, c, c.replace(text+" or "+no), "… or "+no, culpritWeight)
				g.emit(kindAddCond, c, c.replace(no+" or "+text), no+" or …", culpritWeight)
			}
		}
		return true
	})
}

// endless lists where a function that calls itself for ever decides whether to go on: the
// conditions of what returns, and the arguments that it calls itself with.
func (g *generator) endless() (out []*node) {
	f := g.facts.function
	if f == nil || g.view.Failure.Kind != "RecursionError" {
		return nil
	}
	f.walk(func(n *node) bool {
		switch n.kind {
		case "if_statement", "elif_clause", "conditional_expression":
			if c := n.child("condition"); c != nil {
				out = append(out, c)
			}
		case "call":
			if callee := n.child("function"); callee != nil {
				if lastName(callee.text(g.src)) == functionName(g.src, f) {
					out = append(out, n.child("arguments"))
				}
			}
		}
		return true
	})
	return out
}
