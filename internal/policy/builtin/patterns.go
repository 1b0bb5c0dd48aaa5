package builtin

import (
	"cmp"
	"slices"
	"strings"
)

// pattern is an expression that the file has, with a hole where it has a name:
// "time + □", "□ if □ is not None else self.none".
type pattern struct {
	text  string // with the hole
	kind  string
	own   bool // the function has it
	count int
}

// Limits of patterns.
const (
	hole         = "□"
	patternNodes = 14
	patternsMost = 24 // of the function, and as many of the rest of the file
	wrappersMost = 32 // calls of one argument
)

// findPatterns lists the expressions that values of the function could stand in,
// those of the function first, then the most frequent ones.
func (g *generator) findPatterns() []pattern {
	var out []pattern
	at := map[string]int{}
	g.root.walk(func(n *node) bool {
		switch n.kind {
		case "string", "lambda", "import_statement", "import_from_statement", "type":
			return false
		case "call", "binary_operator", "subscript", "conditional_expression", "boolean_operator", "tuple", "list":
		default:
			return true
		}
		if n.last > n.row || n.end-n.start > 60 || size(n) > patternNodes || n.parent.kind == "expression_statement" {
			return true
		}
		own := g.facts.own(n)
		for _, name := range g.places(n) {
			text := g.punched(n, name)
			if i, known := at[text]; known {
				out[i].count++
				out[i].own = out[i].own || own
			} else if text != "" && !strings.HasSuffix(text, "("+hole+")") { // those are below
				at[text] = len(out)
				out = append(out, pattern{text: text, kind: n.kind, own: own, count: 1})
			}
		}
		return true
	})
	slices.SortStableFunc(out, func(a, b pattern) int { return cmp.Compare(b.count, a.count) })
	var kept []pattern
	for _, own := range [...]bool{true, false} {
		n := 0
		for _, p := range out {
			if p.own == own && n < patternsMost {
				kept = append(kept, p)
				n++
			}
		}
	}
	for i, name := range g.facts.wrapperNames() {
		if i < wrappersMost {
			kept = append(kept, pattern{text: name + "(" + hole + ")", kind: "call"})
		}
	}
	return kept
}

// places lists the names and attributes that are read as values within n, each once.
func (g *generator) places(n *node) []string {
	seen := map[string]bool{}
	var out []string
	n.walk(func(k *node) bool {
		if (k.kind == "identifier" || k.kind == "attribute") && k != n && k.field != "function" && !(k.parent.kind == "attribute") && !(k.parent.kind == "keyword_argument" && k.field == "name") {
			add(&out, seen, k.text(g.src))
			return false
		}
		return k.kind != "string" && k.kind != "lambda"
	})
	return out
}

// punched is the text of n with a hole wherever name is read; empty where what
// is left cannot be used in the function.
func (g *generator) punched(n *node, name string) string {
	var b strings.Builder
	at, usable := n.start, true
	n.walk(func(k *node) bool {
		if (k.kind == "identifier" || k.kind == "attribute") && k.text(g.src) == name && k.field != "function" && k.parent.kind != "attribute" && !(k.parent.kind == "keyword_argument" && k.field == "name") {
			b.Write(g.src[at:k.start])
			b.WriteString(hole)
			at = k.end
			return false
		}
		if k.kind == "identifier" && !(k.parent.kind == "attribute" && k.field == "attribute") && !(k.parent.kind == "keyword_argument" && k.field == "name") {
			t := k.text(g.src)
			usable = usable && (g.facts.inScope[t] > 0 || builtins[t] || g.moduleLevel(t))
		}
		return k.kind != "string"
	})
	if !usable {
		return ""
	}
	b.Write(g.src[at:n.end])
	return b.String()
}

// anyPattern offers to put a value where other expressions of the file have a name.
func (g *generator) anyPattern(n *node, patterns []pattern) {
	switch n.kind {
	case "identifier", "attribute", "call", "subscript", "tuple", "parenthesized_expression":
	default:
		return
	}
	text := n.text(g.src)
	for _, p := range patterns {
		whole := strings.ReplaceAll(p.text, hole, text)
		if operates(p.kind) && (operates(n.parent.kind) || n.parent.kind == "attribute" || n.parent.kind == "subscript" && n.field == "value") {
			whole = "(" + whole + ")"
		}
		w := 0.005
		if !p.own {
			w = 0.0025
		}
		g.emit(kindWrap, n, n.replace(whole), clip(whole), w)
	}
}

// operates reports whether an expression of this kind needs brackets within another one.
func operates(kind string) bool {
	switch kind {
	case "binary_operator", "unary_operator", "boolean_operator", "not_operator", "comparison_operator", "conditional_expression":
		return true
	}
	return false
}
