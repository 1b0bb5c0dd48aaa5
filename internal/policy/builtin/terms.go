package builtin

import (
	"strings"

	"breakfix/internal/tree"
)

// addendsMost is how many expressions are added to a value.
const addendsMost = 32

func (g *generator) atoms() []string {
	seen := map[string]bool{}
	var out []string
	add(&out, seen, "1")
	add(&out, seen, "2")
	for i, x := range g.facts.numbers { // those of the function come first
		if i < 4 && len(x) < 6 {
			add(&out, seen, x)
		}
	}
	for i, x := range g.hints.numbers {
		if i < 3 && len(x) < 4 && x != "0" {
			add(&out, seen, x)
		}
	}
	for _, name := range g.names1() {
		add(&out, seen, name)
	}
	return out
}

// addends lists what else than a name may be added to a value: the attributes
// of self, and the shortest attributes, calls and subscripts of the function.
func (g *generator) addends() []string {
	seen := map[string]bool{}
	var out []string
	for i, field := range g.ofSelf() {
		if i < 12 || g.windowed() {
			add(&out, seen, field)
		}
	}
	for _, e := range g.facts.pool {
		if len(out) < addendsMost && strings.ContainsAny(e, ".([") && !strings.Contains(e, " ") {
			add(&out, seen, e)
		}
	}
	return out
}

// anyTerm offers an arithmetic term behind a value.
func (g *generator) anyTerm(n *node, atoms []string) {
	if n.kind == "string" || n.kind == "list" || n.kind == "tuple" {
		return
	}
	text := n.text(g.src)
	for _, op := range arithmetic[:6] {
		for _, a := range atoms {
			if a == text {
				continue
			}
			whole := text + " " + op + " " + a
			if n.kind == "binary_operator" && op != "+" && op != "-" {
				whole = "(" + text + ") " + op + " " + a
				g.emit(kindAddTerm, n, n.replace(text+" "+op+" "+a), "… "+op+" "+a, 0.02)
			}
			if n.parent.kind == "binary_operator" && (op == "+" || op == "-") || n.parent.kind == "attribute" || n.parent.kind == "subscript" && n.field == "value" {
				whole = "(" + whole + ")"
			}
			g.emit(kindAddTerm, n, n.replace(whole), clip(text)+" "+op+" "+a, 0.02)
			if op != "+" && op != "-" && op != "*" {
				continue
			}
			first := a + " " + op + " " + text // and before it
			if operates(n.kind) && (op != "+" || n.kind != "binary_operator") {
				first = a + " " + op + " (" + text + ")"
			}
			if n.parent.kind == "binary_operator" || n.parent.kind == "attribute" || n.parent.kind == "subscript" && n.field == "value" {
				first = "(" + first + ")"
			}
			g.emit(kindAddTerm, n, n.replace(first), a+" "+op+" "+clip(text), 0.005)
			if bare := a + " * " + text; op == "*" && bare != first && n.parent.kind == "binary_operator" && !operates(n.kind) && g.core(n.row, n.last) {
				g.emit(kindAddTerm, n, n.replace(bare), clip(bare), rare)
			}
		}
	}
	if g.span.lines == nil { // a window tells the place: there is more to try there
		addends := g.addends()
		if g.core(n.row, n.last) {
			addends = append(addends, g.near(n, nearMost)...)
		}
		for _, e := range addends {
			for _, whole := range [...]string{text + " + " + e, e + " + " + text, text + " | " + e} {
				if e != text && (n.kind == "binary_operator" || !operates(n.kind)) {
					g.emit(kindAddTerm, n, n.replace(whole), clip(whole), 0.002)
				}
			}
			if e != text && !operates(n.kind) && g.core(n.row, n.last) {
				for _, op := range bitwiseToo {
					for _, whole := range [...]string{text + " " + op + " " + e, e + " " + op + " " + text} {
						if operates(n.parent.kind) && n.parent.kind != "comparison_operator" && n.parent.kind != "boolean_operator" {
							g.emit(kindAddTerm, n, n.replace("("+whole+")"), clip(whole), rare)
						}
						g.emit(kindAddTerm, n, n.replace(whole), clip(whole), rare)
					}
				}
			}
		}
	}
	for _, s := range [...]string{"[0]", "[None]", "(None,)"} { // so many of the same
		g.emit(kindAddTerm, n, n.replace(s+" * "+text), s+" * "+clip(text), 0.0025)
	}
}

// anyThing offers, in the place of what holds nothing, the object's own
// attributes, and expressions of the file about the names that stand near.
func (g *generator) anyThing(n *node, patterns []pattern) {
	text := n.text(g.src)
	if !containsString(constants, text) && text != "''" {
		return
	}
	for _, field := range g.ofSelf() {
		g.emit(kindValue, n, n.replace(field), clip(text)+" → "+field, 0.02)
	}
	for _, name := range g.near(n, 3) {
		for _, p := range patterns {
			whole := strings.ReplaceAll(p.text, hole, name)
			g.emit(kindValue, n, n.replace(whole), clip(text)+" → "+clip(whole), 0.005)
		}
	}
}

// findOfSelf lists the attributes of self that the file reads, then those that the class binds, where there is a self.
func (g *generator) findOfSelf() []string {
	var out []string
	for _, self := range [...]string{"self", "cls"} {
		if all := g.facts.receivers[self]; containsString(g.facts.params, self) || containsString(g.facts.outer, self) {
			for _, a := range variables(24, all, g.facts.declared) {
				out = append(out, self+"."+a)
			}
		}
	}
	return out
}

// extended offers a term behind a value that is long: what stands near.
func (g *generator) extended(n *node) {
	if n.field != "right" && n.parent.kind != "return_statement" || !g.overlaps(n) {
		return
	}
	for _, name := range variables(nearMost, g.near(n, nearMost), g.facts.params) {
		for _, op := range [...]string{" + ", " or "} {
			g.emit(kindAddTerm, n, []tree.Edit{{Start: n.end, End: n.end, New: op + name}}, "…"+op+name, rare)
		}
	}
}
