package builtin

import (
	"bytes"
	"maps"
	"slices"
	"strings"
)

// Limits of bindings and plainly.
const (
	unboundMost = 4  // names
	plainMost   = 16 // methods
)

// unbound lists the names that the function reads and nothing binds: what is missing may be
// what binds them.
func (g *generator) unbound() []string {
	var out []string
	for _, name := range unbound(g.view.Path, g.src) {
		if g.facts.inScope[name] > 0 && len(out) < unboundMost {
			out = append(out, name)
		}
	}
	return out
}

// bindings offers to bind the names that nothing binds, and beside a statement with arms those that its
// arms bind: to what the file or the function has, to calls of what stands near, and to where expressions of
// the file have it in a hole. What stands near may also be bound to calls alone.
func (g *generator) bindings(put func(string), beside *node) {
	targets := slices.Clone(g.facts.unbound)
	if beside.kind == "if_statement" || beside.kind == "try_statement" {
		bound := slices.Sorted(maps.Keys(g.bound(beside)))
		targets = append(targets, bound[:min(len(bound), unboundMost)]...)
	}
	near := slices.DeleteFunc(variables(nearMost, g.near(beside, nearMost), g.facts.params), func(name string) bool { return containsString(g.facts.unbound, name) })
	calls := slices.Concat(g.called(beside), g.calledWithTwo(beside))
	for _, name := range near[:min(len(near), typedMost)] {
		for _, c := range calls {
			put(name + " = " + c)
		}
	}
	if len(targets) == 0 {
		return
	}
	values := slices.Concat(near, constants, []string{"set()"}, g.facts.fillers, g.facts.pool, calls, g.named(), g.composed(beside))
	for _, class := range g.classes() {
		for _, a := range near {
			values = append(values, class+"("+a+")")
		}
		values = append(values, class+"()")
	}
	for _, p := range g.patterns() {
		for _, a := range near {
			values = append(values, strings.ReplaceAll(p.text, hole, a))
		}
	}
	for _, t := range g.tails() {
		for _, a := range near {
			values = append(values, a+t)
		}
	}
	for _, name := range targets {
		for _, v := range values {
			if v != name {
				put(name + " = " + v)
			}
		}
	}
}

// findPlainly lists the methods that the file calls without an argument and does nothing with the
// result of, and those that most code has: ".clear()".
func (g *generator) findPlainly() []string {
	seen := map[string]bool{}
	var out []string
	for _, s := range g.facts.simple {
		ps := s.parts()
		if s.kind != "expression_statement" || len(ps) != 1 || ps[0].kind != "call" || len(out) == plainMost {
			continue
		}
		if callee, args := ps[0].child("function"), ps[0].child("arguments"); callee != nil && args != nil && callee.kind == "attribute" && len(args.parts()) == 0 {
			add(&out, seen, "."+callee.child("attribute").text(g.src)+"()")
		}
	}
	for _, m := range [...]string{".clear()", ".close()", ".reset()", ".start()", ".stop()", ".pop()", ".release()", ".acquire()", ".flush()"} {
		add(&out, seen, m)
	}
	return out
}

// methodsOf lists the methods that the file calls of an expression.
func (g *generator) methodsOf(of string) []string {
	var out []string
	for _, m := range g.facts.receivers[of] {
		if len(g.facts.calls[of+"."+m]) > 0 && len(out) < plainMost {
			out = append(out, m)
		}
	}
	return out
}

// Limits of composed.
const (
	pairedMost  = 10 // names
	ofNamesMost = 8  // attributes of self beside them
	readMost    = 60 // attributes that are read of a name
)

// composed lists small expressions of what stands near a node, whether the file has them or not:
// operations, comparisons, items, attributes and calls of methods.
func (g *generator) composed(n *node) []string {
	near, fields := g.near(n, nearMost), g.ofSelf()
	of := slices.Concat(near, fields[:min(len(fields), ofNamesMost)])
	out := g.related(near)
	for _, a := range of {
		for _, b := range of {
			if a != b {
				for _, op := range bitwiseToo {
					out = append(out, a+" "+op+" "+b)
				}
				out = append(out, a+"["+b+"]")
			}
		}
		out = append(out, a+"[0]", a+"[1]", a+"[-1]", "len("+a+")")
		for _, m := range g.methodsOf(a) {
			out = append(out, a+"."+m+"()")
			for _, b := range near {
				out = append(out, a+"."+m+"("+b+")")
			}
		}
	}
	for _, a := range near[:min(len(near), 3)] {
		for _, field := range fields {
			out = append(out, field+"["+a+"]")
		}
		for _, attr := range g.facts.attributes[:min(len(g.facts.attributes), readMost)] {
			out = append(out, a+"."+attr)
		}
	}
	for _, class := range g.classes() { // what a class has, and an item of it
		for i, attr := range g.facts.receivers[class] {
			if i < ofNamesMost {
				out = append(out, class+"."+attr)
				for _, b := range near {
					out = append(out, class+"."+attr+"["+b+"]")
				}
			}
		}
	}
	return out
}

var bitwiseToo = slices.Concat(arithmetic, []string{"&", "|", "^", "<<", ">>"})

// entitled lists what the function may look up under its own name, as properties do, and what it
// may give where there is none.
func (g *generator) entitled(n *node) (out []string) {
	f := n.up("function_definition")
	if f == nil {
		return nil
	}
	quote := "'"
	if bytes.Count(g.src, []byte{'"'}) > bytes.Count(g.src, []byte{'\''}) {
		quote = `"`
	}
	name := quote + functionName(g.src, f) + quote
	otherwise := slices.Concat(constants, g.ofSelf(), g.near(n, nearMost))
	for _, of := range variables(storesMost, g.ofSelf(), g.near(n, nearMost)) {
		for _, m := range g.facts.receivers[of] {
			if m == "get" || m == "pop" || m == "setdefault" {
				out = append(out, of+"."+m+"("+name+")")
				for _, v := range otherwise {
					out = append(out, of+"."+m+"("+name+", "+v+")")
				}
			}
		}
		out = append(out, of+"["+name+"]", "getattr("+of+", "+name+")")
	}
	return out
}
