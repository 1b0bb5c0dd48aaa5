package builtin

import (
	"cmp"
	"slices"
	"strings"

	"breakfix/internal/tree"
)

// Limits of what the rest of the file gives. They apply where a window tells the place of
// the change: there are few places then, and so more to try in each.
const (
	fillersMost = 40 // expressions
	fillerNodes = 20 // of one of them
	tailsMost   = 16
	forms       = 16 // conditions with a hole
	formNodes   = 12 // of one of them
	bodiesMost  = 14
	calleesMost = 40
	rare        = 0.001 // the weight of what only fills a place
)

// windowed reports whether a window tells the place of the change, and not all of a text may be wrong.
func (g *generator) windowed() bool { return g.view.Context.WindowFirst > 0 }

// core reports whether a window tells that the change is at lines first to last, or beside them.
func (g *generator) core(first, last int) bool {
	return g.told(g.span.line(first, last))
}

// told reports whether the log prior of a place is that of where a window tells the change to be, or beside it.
func (g *generator) told(place float64) bool { return g.windowed() && place >= -2.6 }

// overlaps reports whether a window tells that the change is at lines of n, or beside them.
func (g *generator) overlaps(n *node) bool {
	return g.windowed() && n.row <= max(g.span.coreFirst, g.span.coreLast) && n.last >= min(g.span.coreFirst, g.span.coreLast)
}

// within reports whether a window tells that the change is at n, and n is no more than what it tells of.
func (g *generator) within(n *node) bool {
	return g.core(n.row, n.last) && n.row >= min(g.span.coreFirst, g.span.coreLast)-1 && n.last <= max(g.span.coreFirst, g.span.coreLast)+1
}

// fillers lists the expressions of the file that can be read in the function and that are
// not in its pool: its own first, then the most frequent ones.
func (g *generator) fillers() []string {
	known := map[string]bool{}
	for _, e := range g.facts.pool {
		known[e] = true
	}
	return g.spread(known, fillersMost, func(n *node) (string, *node) {
		switch n.kind {
		case "call", "comparison_operator", "boolean_operator", "not_operator", "unary_operator", "binary_operator", "conditional_expression",
			"subscript", "attribute", "list", "tuple", "dictionary", "lambda", "string", "list_comprehension", "set_comprehension", "generator_expression":
		default:
			return "", nil
		}
		p := n.parent
		if p.kind == "attribute" || n.field == "left" && p.kind != "binary_operator" || n.field == "function" || p.kind == "decorator" || p.kind == "expression_statement" {
			return "", nil
		}
		return n.text(g.src), n
	})
}

// findTails lists what the file has behind a value: methods with arguments.
func (g *generator) findTails() []string {
	return g.spread(map[string]bool{}, tailsMost, func(n *node) (string, *node) {
		callee := n.child("function")
		if n.kind != "call" || callee == nil || callee.kind != "attribute" {
			return "", nil
		}
		if tail := string(g.src[callee.child("object").end:n.end]); len(tail) < 30 {
			return tail, n.child("arguments")
		}
		return "", nil
	})
}

// withHole lists the conditions of the file with a hole where they have a name: "□ is missing".
func (g *generator) withHole() []string {
	type form struct {
		text  string
		count int
	}
	at := map[string]int{}
	var all []form
	for _, c := range g.facts.conditions {
		if c.last > c.row || c.end-c.start > 60 || size(c) > formNodes {
			continue
		}
		for _, name := range g.places(c) {
			text := g.punched(c, name)
			if text == "" || text == hole {
				continue
			}
			if i, ok := at[text]; ok {
				all[i].count++
				continue
			}
			at[text] = len(all)
			all = append(all, form{text, 1})
		}
	}
	slices.SortStableFunc(all, func(a, b form) int { return cmp.Compare(b.count, a.count) })
	var out []string
	for _, f := range all[:min(len(all), forms)] {
		out = append(out, f.text)
	}
	return out
}

// spread collects what of takes from the short expressions, where the function can use all
// names of the part that of gives.
func (g *generator) spread(known map[string]bool, most int, of func(*node) (text string, part *node)) []string {
	type found struct {
		text  string
		count int
	}
	at := map[string]int{}
	var all []found
	g.root.walk(func(n *node) bool {
		switch n.kind {
		case "import_statement", "import_from_statement", "type":
			return false
		}
		if n.parent == nil || !n.named || n.last > n.row || n.end-n.start > 60 {
			return n.kind != "string"
		}
		if text, part := of(n); text != "" && !known[text] && size(part) <= fillerNodes && g.usable(part) == 1 {
			i, ok := at[text]
			if !ok {
				i = len(all)
				at[text] = i
				all = append(all, found{text: text})
			}
			all[i].count++
			if g.facts.own(n) {
				all[i].count += 1000
			}
		}
		return n.kind != "string"
	})
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(b.count, a.count) })
	var out []string
	for _, f := range all[:min(len(all), most)] {
		out = append(out, f.text)
	}
	return out
}

// filled offers, at a value where the change is, the expressions of the rest of the file
// in its place and beside it.
func (g *generator) filled(n *node, fillers, tails []string) {
	text := n.text(g.src)
	bare := text
	if operates(n.kind) {
		bare = "(" + text + ")"
	}
	inner := operates(n.parent.kind) || n.parent.kind == "attribute"
	put := func(kind Kind, to string) {
		g.emit(kind, n, n.replace(to), clip(to), rare)
	}
	for _, f := range fillers {
		if f == text {
			continue
		}
		if inner && n.field == "left" && strings.Contains(f, " ") { // a * b in a * b * c
			put(kindValue, f)
		}
		if inner && strings.Contains(f, " ") {
			put(kindValue, "("+f+")")
		} else {
			put(kindValue, f)
		}
		if n.parent.kind == "argument_list" || n.parent.kind == "return_statement" || n.field == "right" {
			put(kindAddCond, text+" or "+f)
		}
		if quoted := f[len(f)-1] == '"' || f[len(f)-1] == '\''; quoted || strings.HasSuffix(f, ")") {
			put(kindAddTerm, text+" + "+f)
			put(kindAddTerm, f+" + "+text)
		}
	}
	if n.kind == "string" {
		for _, name := range slices.Concat(g.facts.scope, g.ofSelf()) {
			if !builtins[name] && !pythonKeywords[name] {
				put(kindAddTerm, text+" + "+name)
				put(kindAddTerm, name+" + "+text)
			}
		}
	}
	if n.field == "right" || n.parent.kind == "return_statement" {
		for _, c := range g.called(n) {
			put(kindAddTerm, text+" + "+c)
		}
	}
	if n.kind != "integer" && n.kind != "float" {
		for _, t := range tails {
			put(kindWrap, bare+t)
		}
	}
	if n.field == "right" || n.parent.kind == "argument_list" || n.parent.kind == "return_statement" {
		for _, e := range g.facts.pool {
			put(kindAddCond, text+" or "+e)
		}
		for _, class := range g.classes() {
			put(kindAddCond, text+" or "+class+"()")
		}
		for _, e := range [...]string{"[]", "{}", "()", "set()", "0", `""`} {
			put(kindAddCond, e+" if "+text+" is None else "+text)
		}
		for _, e := range slices.Concat(constants, fillers, g.named()) {
			put(kindAddCond, text+" if "+text+" is not None else "+e)
		}
	}
	if !operates(n.kind) {
		put(kindNone, text+" is not None")
		put(kindNone, text+" is None")
	}
	if n.kind == "attribute" && n.parent.kind != "attribute" {
		g.elsewhere(n, func(other string) {
			put(kindAddCond, text+" if "+text+" is not None else "+other)
			put(kindAddCond, other+" if "+text+" is None else "+text)
		})
	}
	for _, name := range g.facts.callees {
		put(kindWrap, name+"("+text+")")
	}
	for _, name := range conversions {
		put(kindWrap, name+"("+text+")")
	}
	for _, name := range g.near(n, 8) {
		if name != text && !operates(n.kind) {
			put(kindAddTerm, text+" | "+name)
			put(kindAddTerm, text+" & "+name)
		}
	}
}

// named lists the constants of the module, as their names tell.
func (g *generator) named() []string {
	var out []string
	for _, name := range g.facts.scope {
		if strings.ToUpper(name) == name && strings.ToLower(name) != name && len(out) < nearMost {
			out = append(out, name)
		}
	}
	return out
}

// elsewhere gives the same attribute of what else stands near.
func (g *generator) elsewhere(n *node, give func(string)) {
	object, attribute := n.child("object").text(g.src), n.child("attribute").text(g.src)
	near := g.near(n, 8)
	if containsString(g.facts.params, "self") {
		near = append(near, "self")
	}
	for _, name := range near {
		if name != object {
			give(name + "." + attribute)
		}
	}
}

// received offers methods between a value and the attribute that is read of it.
func (g *generator) received(n *node, tails []string) {
	object := n.child("object")
	text := object.text(g.src)
	if text == "self" || object.last > object.row || operates(object.kind) {
		return
	}
	for _, t := range append(methods[:len(methods):len(methods)], tails...) {
		g.emit(kindWrap, object, object.replace(text+t), clip(text)+t, rare)
	}
	for _, name := range slices.Concat(conversions, g.facts.callees) {
		g.emit(kindWrap, object, object.replace(name+"("+text+")"), name+"("+clip(text)+")", rare)
	}
}

// converted offers a conversion around a value of several lines.
func (g *generator) converted(n *node) {
	for _, name := range conversions {
		g.emit(kindWrap, n, []tree.Edit{{Start: n.start, End: n.start, New: name + "("}, {Start: n.end, End: n.end, New: ")"}}, name+"(…)", rare)
	}
}

// namesake offers to read the attribute that is called as what it is bound to, or as another variable.
func (g *generator) namesake(n *node) {
	attribute := n.child("attribute")
	for _, name := range g.names1() {
		if g.facts.attrCount[name] == 0 {
			g.emit(kindAttr, attribute, attribute.replace(name), attribute.text(g.src)+" → "+name, rare)
		}
	}
}

// signed offers to turn the sign of a value around.
func (g *generator) signed(n *node) {
	text := n.text(g.src)
	if operates(n.kind) {
		text = "(" + text + ")"
	}
	g.emit(kindNegate, n, n.replace("-"+text), "-"+clip(text), 0.05)
}

// constantly offers, in the place of a constant, the expressions of the file, and calls of
// what it calls with what stands near.
func (g *generator) constantly(n *node, fillers, tails []string) {
	if !g.core(n.row, n.last) {
		return
	}
	put := func(to string) { g.emit(kindValue, n, n.replace(to), clip(n.text(g.src))+" → "+clip(to), rare) }
	for _, e := range slices.Concat(fillers, g.facts.pool, g.called(n), g.calledWithTwo(n), g.composed(n), g.entitled(n)) {
		put(e)
	}
	for _, a := range g.near(n, 3) {
		for _, t := range tails {
			put(a + t)
		}
	}
	if n.kind == "none" && n.parent.kind == "return_statement" {
		put("(None, None)")
		for i, a := range g.near(n, pairedMost) {
			for k, b := range g.near(n, pairedMost) {
				if a == b {
					continue
				}
				put("(" + a + ", " + b + ")")
				put(a + ", " + b)
				for l, c := range g.near(n, nearMost) {
					if i < nearMost && k < nearMost && l != i && l != k {
						put(a + ", " + b + ", " + c)
					}
				}
			}
		}
	}
}

// called lists calls of what the file calls with what stands near a node.
func (g *generator) called(n *node) []string {
	near := g.near(n, 2)
	var out []string
	for _, name := range g.facts.callees {
		for _, a := range near {
			out = append(out, name+"("+a+")")
		}
	}
	return out
}

// callees lists what the file calls and the function may: names, methods of self.
func (g *generator) callees() []string {
	var out []string
	if containsString(g.facts.params, "self") {
		methods := slices.Clone(g.facts.methods)
		slices.SortStableFunc(methods, func(a, b string) int { // what nothing calls first: a call may be missing
			return cmp.Compare(min(1, g.facts.attrCount[a]), min(1, g.facts.attrCount[b]))
		})
		for _, m := range methods {
			if !(strings.HasPrefix(m, "__") && strings.HasSuffix(m, "__")) && len(out) < calleesMost/2 {
				out = append(out, "self."+m)
			}
		}
	}
	for _, name := range g.facts.wrapperNames() {
		if root, _, _ := strings.Cut(name, "."); isName(name) && (g.facts.inScope[root] > 0 || builtins[root] || g.moduleLevel(root)) {
			out = append(out, name)
		}
	}
	return out[:min(len(out), calleesMost)]
}

// isName reports whether text is a name, dotted or not.
func isName(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool { return !isWord(r) && r != '.' }) < 0
}

// asked lists the conditions of the file, asked about what stands near a node.
func (g *generator) asked(n *node) []string {
	seen := map[string]bool{}
	var out []string
	about := append(g.near(n, 4), g.fields(n, 3)...)
	for _, f := range g.facts.holes {
		for _, a := range about {
			add(&out, seen, strings.ReplaceAll(f, hole, a))
		}
	}
	return out
}
