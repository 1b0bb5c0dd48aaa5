package builtin

import (
	"slices"
	"strings"

	"breakfix/internal/tree"
)

// conditional offers, where a window tells the place, to do a statement only where a condition holds, and
// all that the window tells of.
func (g *generator) conditional(ps []*node, i int) {
	s := ps[i]
	if !g.within(s) || docstring(s) || strings.TrimSpace(string(g.src[lineStart(g.src, s.start):s.start])) != "" {
		return
	}
	ends := []*node{s}
	for _, e := range ps[i+1:] {
		if s.row == g.span.coreFirst && e.last == g.span.coreLast {
			ends = append(ends, e)
		}
	}
	indent := indentAt(g.src, s.start)
	inner := deeper(indent)
	conditions := g.asking(s)
	for _, e := range ends {
		body := reindent(string(g.src[s.start:e.end]), indent, inner)
		for _, c := range conditions {
			g.offer(kindGuard, s.start, e.end, g.span.line(s.row, e.last), []tree.Edit{{Start: s.start, End: e.end, New: "if " + c + ":\n" + inner + body}}, "if "+clip(c), rare)
		}
	}
}

// unconditional offers to do what an if does whether its condition holds or not.
func (g *generator) unconditional(n *node) {
	body := n.child("consequence")
	if body == nil || n.child("alternative") != nil || body.row == n.row {
		return
	}
	text := reindent(body.text(g.src), indentAt(g.src, body.start), indentAt(g.src, n.start))
	g.offer(kindBranches, n.start, n.end, g.span.line(n.row, n.row), n.replace(text), "whether "+clip(n.child("condition").text(g.src))+" or not", 0.3)
}

// instead offers, where a window tells the place, other conditions in the place of one: what may
// be asked there.
func (g *generator) instead(c *node) {
	if !g.core(c.row, c.last) {
		return
	}
	for _, to := range g.asking(c) {
		g.emit(kindCondition, c, c.replace(to), clip(c.text(g.src))+" → "+clip(to), rare)
	}
}

// elsewise offers, where a window tells the place, an else arm only on a condition.
func (g *generator) elsewise(n *node) {
	arm := last(n)
	if arm == nil || arm.kind != "else_clause" || !g.core(arm.row, arm.row) {
		return
	}
	for _, c := range g.asking(arm) {
		g.offer(kindGuard, arm.start, arm.end, g.span.line(arm.row, arm.row), []tree.Edit{{Start: arm.start, End: arm.start + len("else"), New: "elif " + c}}, "elif "+clip(c), rare)
	}
}

// Limits of elifs: what arms do, the conditions on which all of it is done, and what is done on all.
const (
	elifBodies     = 40
	elifConditions = 24
	elifFirst      = 4
)

// elifs offers, where a window tells the place, one more arm of an if, on a condition: what the file does
// on conditions, and statements like those of its arms.
func (g *generator) elifs(n *node) {
	end := n.child("consequence")
	for _, k := range n.kids {
		if k.kind == "elif_clause" {
			end = k
		}
	}
	if end == nil {
		return
	}
	place := g.span.gap(end.last)
	if !g.told(place) {
		return
	}
	at, indent := lineEnd(g.src, end.end), indentAt(g.src, n.start)
	inner := deeper(indent)
	bodies := g.bodies(inner)
	g.alike(n, func(text string, _ float64) {
		if len(bodies) < elifBodies {
			bodies = append(bodies, text)
		}
	})
	for i, c := range g.asking(n) {
		for k, b := range bodies {
			if (i < elifConditions || k < elifFirst) && mayStand(b, n) {
				g.offer(kindHandler, at, at, place, []tree.Edit{{Start: at, End: at, New: "\n" + indent + "elif " + c + ":\n" + inner + b}}, "elif "+clip(c), rare)
			}
		}
	}
}

// asking lists what may be asked at a node: the conditions of the file and of what stands near, what
// stands near asked for its type, and what the file asks functions about.
func (g *generator) asking(n *node) []string {
	seen := map[string]bool{}
	var out []string
	near := g.near(n, nearCalls)
	for _, c := range slices.Concat(g.tests(n), g.asked(n), g.called(n), g.facts.fillers) {
		add(&out, seen, c)
	}
	for _, name := range variables(joinedMost, near, g.facts.params, g.ofSelf()) {
		for _, c := range [...]string{name, "not " + name, name + " is None", name + " is not None", "len(" + name + ") == 1", name + " == 0"} {
			add(&out, seen, c)
		}
	}
	for _, c := range g.agreed(near) {
		add(&out, seen, c)
	}
	for _, a := range near[:min(len(near), typedMost)] {
		for _, field := range g.ofSelf() {
			add(&out, seen, a+" in "+field)
			add(&out, seen, a+" not in "+field)
		}
		for _, t := range g.types() {
			for _, c := range [...]string{"type(" + a + ") is " + t, "type(" + a + ") is not " + t, "isinstance(" + a + ", " + t + ")", "not isinstance(" + a + ", " + t + ")"} {
				add(&out, seen, c)
			}
		}
		for _, b := range near {
			if a != b {
				for _, c := range [...]string{a + " == " + b + " - 1", a + " != " + b + " - 1", a + " == len(" + b + ")", a + " < len(" + b + ")", a + " >= len(" + b + ")"} {
					add(&out, seen, c)
				}
			}
		}
	}
	return out
}

// Limits of asking: names that are asked for their type, classes of the file, names that are asked
// together, and values of the function that are asked for their type.
const (
	typedMost   = 2
	classesMost = 8
	agreedMost  = 4
	valuesMost  = 6
)

// agreed lists what names may be asked together or beside a constant, and values of the function for their type.
func (g *generator) agreed(near []string) (out []string) {
	near = near[:min(len(near), agreedMost)]
	for _, a := range near {
		for _, b := range near {
			if a != b {
				out = append(out, a+" and "+b, "not "+a+" and "+b, a+" and not "+b, a+" or "+b)
			}
		}
		out = append(out, a+" is True", a+" is False")
		for _, c := range g.named() {
			out = append(out, a+" is "+c, a+" is not "+c, a+" == "+c, a+" in "+c)
		}
	}
	asked := 0
	for _, e := range g.facts.pool {
		if asked == valuesMost || !strings.ContainsAny(e, ".[(") || strings.HasPrefix(e, "len(") || strings.Contains(e, " ") && !strings.HasSuffix(e, ")") {
			continue
		}
		asked++
		for _, t := range g.types() {
			out = append(out, "isinstance("+e+", "+t+")", "not isinstance("+e+", "+t+")")
		}
	}
	return out
}

// types lists the built-in types and the classes that the file defines or imports.
func (g *generator) types() []string { return slices.Concat(builtinTypes, g.classes()) }

// findClasses lists the classes that the file defines or imports, as their names tell.
func (g *generator) findClasses() []string {
	var out []string
	for _, name := range g.facts.scope {
		if name[0] >= 'A' && name[0] <= 'Z' && strings.ToUpper(name) != name && !builtins[name] && len(out) < classesMost {
			out = append(out, name)
		}
	}
	return out
}

var builtinTypes = []string{"str", "int", "bytes", "float", "bool", "list", "tuple", "dict", "set", "type"}
