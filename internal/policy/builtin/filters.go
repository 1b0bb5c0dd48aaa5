package builtin

import (
	"strings"

	"breakfix/internal/tree"
)

// filter offers to put a condition on what a comprehension takes, and to take
// one off.
func (g *generator) filter(n *node) {
	var loop, only *node
	for _, k := range n.parts() {
		switch k.kind {
		case "for_in_clause":
			loop = k
		case "if_clause":
			only = k
		}
	}
	if loop == nil {
		return
	}
	if only != nil {
		start := only.start
		for start > 0 && (g.src[start-1] == ' ' || g.src[start-1] == '\n') {
			start--
		}
		g.emit(kindDropCond, n, []tree.Edit{{Start: start, End: only.end}}, "take all", 0.6)
		if ps := only.parts(); len(ps) == 1 && ps[0].last == ps[0].row {
			g.negated(ps[0], 0.6)
			g.anyCondition(ps[0])
		}
		return
	}
	left := loop.child("left")
	if left == nil {
		return
	}
	put := func(cond string, w float64) {
		g.emit(kindAddCond, n, []tree.Edit{{Start: loop.end, End: loop.end, New: " if " + cond}}, "if "+clip(cond), w)
	}
	left.walk(func(k *node) bool {
		if k.kind != "identifier" {
			return true
		}
		x := k.text(g.src)
		for _, c := range []string{"", " > 0", " % 2 == 0", " % 2 == 1", " < 0", " != 0", " >= 0", " is not None", ".isalpha()", ".isdigit()", ".isalnum()", ".isupper()", ".islower()", ".strip()"} {
			put(x+c, 0.15)
		}
		put("not "+x, 0.05)
		put("len("+x+") > 1", 0.08)
		put("isinstance("+x+", int)", 0.05)
		for _, name := range g.names1() {
			if name != x {
				for _, op := range []string{" not in ", " in ", " != ", " == ", " < ", " > ", " <= ", " >= "} {
					put(x+op+name, 0.06)
				}
				put("len("+x+") == "+name, 0.03)
			}
		}
		return true
	})
	for _, c := range g.facts.conditions {
		if g.facts.own(c) && c.last == c.row {
			put(c.text(g.src), 0.2)
		}
	}
}

// related lists comparisons of names that stand near with each other and with
// small numbers.
func (g *generator) related(near []string) []string {
	var out []string
	for i, a := range near {
		for k, b := range near {
			if i == k {
				continue
			}
			if i < k {
				out = append(out, a+" != "+b, a+" == "+b)
			}
			out = append(out, a+" < "+b, a+" not in "+b, a+" in "+b)
			if i < k {
				out = append(out, a+" <= "+b, a+" >= "+b, a+" is "+b, a+" is not "+b)
			}
		}
		for _, v := range [...]string{"0", "1"} {
			out = append(out, a+" > "+v, a+" == "+v, a+" != "+v)
		}
		out = append(out, "len("+a+") > 1", a+" % 2 == 0", a+" >= 0", a+" < 0")
	}
	return out
}

// relations lists comparisons of what stands near a condition, its object's
// attributes included.
func (g *generator) relations(c *node) []string {
	near := g.near(c, 5)
	out := g.related(near)
	for _, field := range g.fields(c, 3) {
		out = append(out, field, "not "+field, field+" is None", field+" is not None")
		for _, a := range near {
			for _, op := range [...]string{" in ", " not in ", " == ", " != ", " < ", " > ", " <= ", " >= "} {
				out = append(out, a+op+field)
			}
		}
	}
	return out
}

// tests lists conditions for a statement that is to be left early: those that
// the file has, and comparisons of what stands near.
func (g *generator) tests(n *node) []string {
	seen := map[string]bool{}
	var out []string
	for _, k := range g.facts.conditions {
		if k.last == k.row && k.end-k.start < 60 && len(out) < 16 && g.usable(k) == 1 {
			add(&out, seen, k.text(g.src))
		}
	}
	for _, c := range g.relations(n) {
		if len(out) < 90 {
			add(&out, seen, c)
		}
	}
	return out
}

// fields lists the attributes of self that the statement of a node reads, and
// those of the statements beside it.
func (g *generator) fields(n *node, most int) []string {
	seen := map[string]bool{}
	var out []string
	s := n.statement()
	if s == nil {
		return nil
	}
	ps := s.parent.parts()
	for i, p := range ps {
		if p != s {
			continue
		}
		for _, k := range []*node{s, before(ps, i), after(ps, i)} {
			if k == nil {
				continue
			}
			k.walk(func(x *node) bool {
				if x.kind != "attribute" || x.field == "function" || len(out) == most {
					return x.kind != "string"
				}
				if o := x.child("object"); o != nil && o.text(g.src) == "self" {
					add(&out, seen, x.text(g.src))
				}
				return true
			})
		}
	}
	return out
}

// known lists whether what the function puts into a collection is in it.
func (g *generator) known() []string {
	seen := map[string]bool{}
	var out []string
	for _, m := range [...]string{"add", "append"} {
		for _, name := range g.names1() {
			for _, c := range g.facts.calls[name+"."+m] {
				if a := c.child("arguments"); a != nil && len(a.parts()) == 1 && g.facts.own(c) && len(out) < 8 {
					add(&out, seen, a.parts()[0].text(g.src)+" not in "+name)
					add(&out, seen, a.parts()[0].text(g.src)+" in "+name)
				}
			}
		}
	}
	return out
}

// near lists the names that a node, its statement and the statement's
// neighbours read, the nearest first.
func (g *generator) near(n *node, most int) []string {
	seen := map[string]bool{}
	var out []string
	take := func(k *node) {
		if k == nil {
			return
		}
		k.walk(func(x *node) bool {
			if x.kind == "identifier" && len(out) < most {
				name := x.text(g.src)
				if g.facts.inScope[name] > 0 && !builtins[name] && len(g.facts.calls[name]) == 0 && !pythonKeywords[name] && !(x.parent.kind == "attribute" && x.field == "attribute") {
					add(&out, seen, name)
				}
			}
			return x.kind != "string"
		})
	}
	take(n)
	s := n.statement()
	if s == nil {
		return out
	}
	if s.simple() {
		take(s)
	}
	if s.parent != nil {
		ps := s.parent.parts()
		for i, p := range ps {
			if p == s {
				take(before(ps, i))
				take(s)
				take(after(ps, i))
			}
		}
		for around := s.parent.parent; around != nil && around.kind != "function_definition"; around = around.parent {
			take(around.child("left"))
			take(around.child("condition"))
		}
	}
	for _, name := range g.names1() {
		if len(out) < most {
			add(&out, seen, name)
		}
	}
	return out
}

// constants are what functions return where there is nothing to do.
var constants = []string{"[]", `""`, "0", "False", "True", "None", "1", "{}", "-1", "()"}

// guards offers early returns on what a function is given, and leaving a turn
// of a loop; where stands at the beginning of the block.
func (g *generator) guards(put func(Kind, string, float64), where *node, indent, inner string) {
	f := g.facts.function
	if f == nil || where == nil {
		return
	}
	if where == f.child("body") {
		results := append([]string(nil), constants...)
		for _, r := range g.facts.returns {
			if t := r.text(g.src); r.last == r.row && len(t) < 30 && !containsString(results, t) && len(results) < 16 {
				results = append(results, t)
			}
		}
		for _, p := range g.facts.params {
			if pythonKeywords[p] || g.facts.inScope[p] == 0 {
				continue
			}
			for i, c := range []string{"not " + p, p + " == 0", "len(" + p + ") == 0", p + " <= 0", p + " < 0", p + " == 1", p + " <= 1", p + " < 2", "len(" + p + ") < 2"} {
				for k, r := range append(results[:len(results):len(results)], p) {
					put(kindGuard, "if "+c+":\n"+inner+"return "+r, 0.25/float64(1+i+k/2))
				}
			}
		}
		return
	}
	if p := where.parent; p != nil && (p.kind == "for_statement" || p.kind == "while_statement") {
		if left := p.child("left"); left != nil && left.kind == "identifier" {
			x := left.text(g.src)
			for _, name := range g.names1() {
				if name != x {
					for _, op := range []string{" in ", " not in ", " == ", " > ", " < "} {
						put(kindGuard, "if "+x+op+name+":\n"+inner+"continue", 0.05)
					}
				}
			}
		}
	}
}

// actions offers statements that change what is at hand: something added to a
// collection, to a sum, one name set to another.
func (g *generator) doing(put func(Kind, string, float64), beside *node, inner string) {
	f := g.facts.function
	if beside == nil || f == nil || beside.start <= f.start || beside.end > f.end {
		return
	}
	near := g.near(beside, 7)
	for _, m := range g.facts.plainMethods {
		put(kindInsert, "self."+m+"()", 0.1)
	}
	for i, name := range g.facts.wrapperNames() {
		for k, a := range near {
			if i < wrappersMost && k < 3 {
				put(kindInsert, name+"("+a+")", 0.004)
			}
		}
	}
	for _, c := range g.tests(beside) {
		for _, j := range [...]string{"return", "continue", "break"} {
			put(kindGuard, "if "+c+":\n"+inner+j, 0.005)
		}
	}
	for _, a := range near {
		for _, d := range [...]string{"[]", "{}", "()", "0", `""`, "set()"} {
			put(kindGuard, "if "+a+" is None:\n"+inner+a+" = "+d, 0.02)
		}
		for _, b := range near {
			if a == b {
				continue
			}
			for _, m := range []string{"append", "add", "extend", "remove"} {
				w := 0.03
				if containsString(g.facts.receivers[a], m) {
					w = 0.3
				} else if m == "remove" {
					continue
				}
				put(kindInsert, a+"."+m+"("+b+")", w)
			}
			put(kindInsert, a+" = "+b, 0.06)
			put(kindInsert, a+" += "+b, 0.06)
			put(kindInsert, a+" = "+a+" % len("+b+")", 0.02)
			put(kindInsert, a+" = max("+a+", "+b+")", 0.03)
			put(kindInsert, a+" = min("+a+", "+b+")", 0.02)
		}
		for _, v := range []string{"0", "1", "[]", `""`, "None", "True", "False"} {
			put(kindInsert, a+" = "+v, 0.05)
		}
		for _, f := range []string{"sorted", "list", "abs", "set", "str", "int"} {
			put(kindInsert, a+" = "+f+"("+a+")", 0.04)
		}
		for _, m := range []string{"lower", "strip", "copy", "upper"} {
			put(kindInsert, a+" = "+a+"."+m+"()", 0.02)
		}
		for _, op := range []string{" //= 2", " *= 2", " //= 10", " *= -1"} {
			put(kindInsert, a+op, 0.02)
		}
		if strings.HasSuffix(a, "s") || containsString(g.facts.receivers[a], "append") || containsString(g.facts.receivers[a], "pop") {
			put(kindInsert, a+".sort()", 0.05)
			put(kindInsert, a+".reverse()", 0.05)
			put(kindInsert, a+".pop()", 0.05)
		}
	}
}
