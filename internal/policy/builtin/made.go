package builtin

import (
	"slices"
	"strings"
)

// Limits of made.
const (
	storesMost = 16 // what the file reads or binds by a subscript
	nearCalls  = 4  // names that a call is made of

	stringsMost = 160 // that a list of strings may have had
)

// made offers, in a place that a window tells, statements that the file need not have: an
// attribute of self bound to what stands near or to nothing yet, something put by a key, a
// call of two names, a return of what the file or the function has.
func (g *generator) made(put func(Kind, string, float64), beside *node) {
	statement := func(text string) { put(kindInsert, text, rare) }
	near := g.near(beside, nearCalls)
	values := variables(nearMost, near, g.facts.params) // what may be given, too
	for _, field := range g.ofSelf() {
		for _, v := range slices.Concat(values, constants, []string{"set()"}) {
			statement(field + " = " + v)
		}
	}
	for _, target := range g.names1() {
		for _, v := range values {
			if v != target {
				statement(target + " = " + v)
			}
		}
	}
	holders, items := g.stores()
	for _, x := range items {
		for _, v := range constants {
			statement(x + " = " + v)
		}
	}
	for _, x := range variables(storesMost, holders, near) {
		for _, k := range near {
			for _, v := range slices.Concat(near, constants) {
				if k != v && k != x && v != x {
					statement(x + "[" + k + "] = " + v)
				}
			}
		}
	}
	for _, c := range slices.Concat(g.calledWithTwo(beside), g.called(beside)) {
		statement(c)
	}
	g.bindings(statement, beside)
	g.ofEach(statement, beside)
	methods := g.plainly()
	for _, of := range slices.Concat(near, g.ofSelf()) {
		for _, m := range methods {
			statement(of + m)
		}
	}
	for _, of := range slices.Concat(near, g.ofSelf()) {
		for _, m := range g.methodsOf(of) {
			for _, v := range near {
				statement(of + "." + m + "(" + v + ")")
			}
		}
	}
	for _, callee := range slices.Concat(g.calledHere(), g.facts.callees, around, seldom, []string{"enumerate", "range"}) {
		for _, v := range values {
			if isName(callee) {
				statement("return " + callee + "(" + v + ")")
			}
		}
	}
	for _, e := range slices.Concat(g.facts.fillers, g.facts.pool, g.composed(beside)) {
		statement("return " + e)
	}
	for _, i := range g.imports() {
		statement(i)
	}
}

// annotationsMost bounds the types that an attribute is declared with.
const annotationsMost = 24

// ofEach offers to bind, for each object, what the class binds once for all of them, declared as the
// file declares other things or not at all.
func (g *generator) ofEach(put func(string), beside *node) {
	class, method := g.facts.class, beside.up("function_definition")
	if class == nil || method == nil || !containsString(parametersOf(g.src, method), "self") {
		return
	}
	for _, s := range class.child("body").parts() {
		left := targetOf(s)
		if left == nil || left.kind != "identifier" {
			continue
		}
		name, value := left.text(g.src), left.parent.child("right")
		switch value.kind {
		case "list", "dictionary", "set", "call":
			put("self." + name + " = " + value.text(g.src))
			for _, t := range g.annotations() {
				put("self." + name + ": " + t + " = " + value.text(g.src))
			}
		}
	}
}

// findAnnotations lists the types that the file declares variables and parameters with.
func (g *generator) findAnnotations() []string {
	seen := map[string]bool{}
	var out []string
	g.root.walk(func(n *node) bool {
		if n.kind == "type" && n.last == n.row && len(out) < annotationsMost {
			add(&out, seen, n.text(g.src))
		}
		return n.kind != "type"
	})
	return out
}

// variables are the first names of some lists, each once, self and cls left out.
func variables(most int, lists ...[]string) (out []string) {
	seen := map[string]bool{}
	for _, name := range slices.Concat(lists...) {
		if len(out) < most && !pythonKeywords[name] {
			add(&out, seen, name)
		}
	}
	return out
}

// findImports lists what the file imports from a module, from the package that the module is in.
func (g *generator) findImports() []string {
	seen := map[string]bool{}
	var out []string
	g.root.walk(func(n *node) bool {
		if module := n.child("module_name"); n.kind == "import_from_statement" && module != nil && module.kind == "dotted_name" && len(out) < nearCalls {
			if i := strings.LastIndexByte(module.text(g.src), '.'); i > 0 {
				add(&out, seen, string(g.src[n.start:module.start+i])+string(g.src[module.end:n.end]))
			}
		}
		return n.kind != "function_definition"
	})
	return out
}

// calledWithTwo lists calls of what the file or the function calls with two of what stands near a
// node, or with all that the function is given.
func (g *generator) calledWithTwo(n *node) []string {
	near := g.near(n, nearCalls)
	var out []string
	for _, callee := range slices.Concat(g.calledHere(), g.facts.callees) {
		for _, a := range near {
			for _, b := range near {
				if a != b {
					out = append(out, callee+"("+a+", "+b+")")
				}
			}
		}
	}
	if all := g.facts.splats; len(all) > 0 {
		for _, callee := range slices.Concat(g.facts.params, g.facts.outer, g.calledHere(), g.facts.callees) {
			if !pythonKeywords[callee] {
				out = append(out, callee+"("+strings.Join(all, ", ")+")")
			}
		}
	}
	return out
}

// calledHere lists the function's own variables that it calls, and those that it does nothing with.
func (g *generator) calledHere() (out []string) {
	for _, name := range g.facts.scope {
		if n := g.facts.inScope[name]; n > 0 && !builtins[name] && !pythonKeywords[name] && (n == 1 || len(g.facts.calls[name]) > 0) && len(out) < nearMost {
			out = append(out, name)
		}
	}
	return out
}

// findStrings lists the strings of the file, those that it has most often first.
func (g *generator) findStrings() []string {
	return g.spread(map[string]bool{}, stringsMost, func(n *node) (string, *node) {
		if n.kind != "string" {
			return "", nil
		}
		return n.text(g.src), n
	})
}

// findStores lists what the file subscripts and the function may, and these with their subscripts.
func (g *generator) findStores() (holders, items []string) {
	seen := map[string]bool{}
	g.root.walk(func(n *node) bool {
		if value := n.child("value"); n.kind == "subscript" && value != nil && len(items) < storesMost && n.last == n.row && !operates(value.kind) && g.usable(n) == 1 {
			if holder := value.text(g.src); len(holders) < storesMost/2 {
				add(&holders, seen, holder)
			}
			add(&items, seen, n.text(g.src))
		}
		return n.kind != "string" && n.kind != "type"
	})
	return holders, items
}
