package builtin

import (
	"strings"

	"breakfix/internal/tree"
)

// statements offers the repairs that take statements out, put them in,
// exchange or change them.
func (g *generator) statements() {
	g.root.walk(func(n *node) bool {
		if !g.reaches(n) {
			return false
		}
		if n.block() {
			g.block(n)
		}
		switch n.kind {
		case "for_statement", "while_statement":
			g.arms(n)
			g.condition(n.child("condition"))
		case "if_statement":
			g.branches(n)
			g.elsewise(n)
			g.unconditional(n)
			g.condition(n.child("condition"))
			g.arms(n)
			g.elifs(n)
		case "try_statement":
			g.arms(n)
		case "elif_clause":
			g.condition(n.child("condition"))
		case "assignment", "augmented_assignment":
			g.assignment(n)
		case "return_statement":
			g.returned(n)
		case "except_clause":
			g.handler(n)
		case "with_statement":
			g.with(n)
		case "raise_statement":
			g.raised(n)
		case "function_definition":
			g.definition(n)
		case "assert_statement":
			if ps := n.parts(); len(ps) > 0 {
				g.condition(ps[0])
			}
		}
		return true
	})
}

// block offers what can be done with the statements of one block and the gaps
// between them.
func (g *generator) block(b *node) {
	ps := b.parts()
	for i, s := range ps {
		if i > 0 {
			g.order(ps[i-1], s)
			if i > 1 {
				g.rotate(ps[i-2], ps[i-1], s)
			}
		}
		if len(ps) > 1 && !docstring(s) {
			g.remove(s, ps, i)
		}
		g.conditional(ps, i)
		switch s.kind {
		case "break_statement", "continue_statement", "pass_statement":
			g.jump(s)
		case "return_statement":
			if len(s.parts()) == 0 || s.parts()[0].kind == "none" {
				g.jump(s)
			}
		}
		// What stood here may have been another statement of the file.
		if s.simple() {
			w := 0.3
			if s.kind == "pass_statement" {
				w = 1
			}
			g.fill(kindInsert, s.start, s.end, g.span.line(s.row, s.last), before(ps, i), after(ps, i), indentAt(g.src, s.start), "", "", w)
		}
	}
	for i := 0; i <= len(ps); i++ {
		g.gap(b, ps, i)
	}
}

func before(ps []*node, i int) *node {
	if i > 0 {
		return ps[i-1]
	}
	return nil
}

func after(ps []*node, i int) *node {
	if i+1 < len(ps) {
		return ps[i+1]
	}
	return nil
}

// remove offers to take a statement out with its lines.
func (g *generator) remove(s *node, ps []*node, i int) {
	start, end := lineStart(g.src, s.start), lineEnd(g.src, s.end)
	if end < len(g.src) {
		end++
	}
	if strings.TrimSpace(string(g.src[start:s.start])) != "" || strings.Contains(string(g.src[s.end:min(end, len(g.src))]), ";") {
		return
	}
	w := 0.4
	if s.simple() && s.last == s.row {
		w = 1
		if i == len(ps)-1 && s.kind == "return_statement" && len(s.parts()) > 0 && s.parent.parent != nil && s.parent.parent.kind == "function_definition" || strings.HasPrefix(s.kind, "import") {
			w = 0.1 // what a function is for, and what names stand for
		}
		if strings.Contains(s.text(g.src), ".acquire(") || i > 0 && ps[i-1].text(g.src) == s.text(g.src) {
			w = 4
		}
	}
	g.offer(kindDelete, s.start, s.end, g.span.line(s.row, s.last), []tree.Edit{{Start: start, End: end}}, clip(s.text(g.src)), w)
}

func (g *generator) jump(s *node) {
	text := s.text(g.src)
	for _, j := range jumps {
		if j != text && (j == "return" || j == "pass" || s.up("for_statement", "while_statement") != nil) {
			w := 1.0
			if j == "pass" || text == "pass" {
				w = 0.4
			}
			g.offer(kindJump, s.start, s.end, g.span.line(s.row, s.last), s.replace(j), text+" → "+j, w)
		}
	}
	for i, r := range g.facts.raises {
		g.offer(kindJump, s.start, s.end, g.span.line(s.row, s.last), s.replace(r), text+" → "+clip(r), 0.6/float64(1+i/3))
	}
	g.offer(kindJump, s.start, s.end, g.span.line(s.row, s.last), s.replace("raise"), text+" → raise", 0.5)
	g.offer(kindJump, s.start, s.end, g.span.line(s.row, s.last), s.replace("return None"), text+" → return None", 0.2)
}

// branches offers to exchange the two branches of an if, and to drop one.
func (g *generator) branches(n *node) {
	yes := n.child("consequence")
	var other *node
	arms := 0
	for _, k := range n.kids {
		if k.field == "alternative" {
			arms++
		}
		if k.field == "alternative" && k.kind == "else_clause" {
			other = k.child("body")
		}
	}
	if yes == nil {
		return
	}
	place := max(g.span.line(n.row, n.row), g.span.line(yes.row, yes.last))
	if other != nil {
		place = max(place, g.span.line(other.row, other.last))
		a, b := yes.text(g.src), other.text(g.src)
		offered := g.offer(kindBranches, n.start, n.end, place, []tree.Edit{{Start: yes.start, End: yes.end, New: b}, {Start: other.start, End: other.end, New: a}}, "exchange the branches", 1)
		if c := n.child("condition"); c != nil {
			g.turning(c, offered && arms == 1)
		}
	}
}

// condition offers other conditions in c's place.
func (g *generator) condition(c *node) {
	if c == nil || c.last-c.row > 5 {
		return
	}
	g.negated(c, 1)
	text := c.text(g.src)
	if c.kind == "true" || c.kind == "false" {
		return // constant does
	}
	place := g.span.line(c.row, c.last)
	offer := func(kind Kind, to, what string, w float64) {
		g.offer(kind, c.start, c.end, place, c.replace(to), what, w)
	}
	plain := c.kind == "identifier" || c.kind == "attribute" || c.kind == "call"
	if plain {
		offer(kindNone, text+" is not None", clip(text)+" is not None", 0.8)
		offer(kindNone, text+" is None", clip(text)+" is None", 0.3)
	} else if inner, ok := strings.CutPrefix(text, "not "); ok && c.kind == "not_operator" {
		offer(kindNone, inner+" is None", clip(inner)+" is None", 1)
		offer(kindNone, inner+" is not None", clip(inner)+" is not None", 0.3)
	}
	for _, t := range g.terms(c) {
		if t.text == text {
			continue
		}
		offer(kindAddCond, text+" and "+t.text, "… and "+clip(t.text), t.weight)
		offer(kindAddCond, t.text+" and "+text, clip(t.text)+" and …", t.weight*0.8)
		offer(kindAddCond, text+" or "+t.text, "… or "+clip(t.text), t.weight*0.7)
		offer(kindAddCond, t.text+" or "+text, clip(t.text)+" or …", t.weight*0.6)
		offer(kindCondition, t.text, clip(text)+" → "+clip(t.text), t.weight*0.15)
	}
	for _, to := range g.relations(c) {
		offer(kindCondition, to, clip(text)+" → "+clip(to), 0.004)
	}
	g.instead(c)
	if inner := bare(c); inner != c {
		g.condition(inner)
	}
}

// forced offers conditions in the place of True or False.
func (g *generator) forced(c *node) {
	for _, t := range g.terms(c) {
		g.emit(kindCondition, c, c.replace(t.text), c.text(g.src)+" → "+clip(t.text), t.weight)
	}
	for _, to := range g.relations(c) {
		g.emit(kindCondition, c, c.replace(to), c.text(g.src)+" → "+clip(to), 0.02)
	}
	g.instead(c)
	for i, k := range g.facts.conditions {
		if i < 40 && k.last == k.row && k != c {
			for _, to := range g.varied(k) {
				g.emit(kindCondition, c, c.replace(to), c.text(g.src)+" → "+clip(to), 0.01)
			}
		}
	}
}

type term struct {
	text   string
	weight float64
}

// terms lists conditions that could stand at c: those of the file whose names
// are in scope, and tests of names in scope.
func (g *generator) terms(c *node) []term {
	var ts []term
	at := map[string]int{}
	put := func(text string, w float64) {
		if i, ok := at[text]; ok {
			ts[i].weight += w * 0.3
			return
		}
		at[text] = len(ts)
		ts = append(ts, term{text, w})
	}
	body := c.statement()
	for _, k := range g.facts.conditions {
		if k == c || k.last > k.row || len(k.text(g.src)) > 80 {
			continue
		}
		u := g.usable(k)
		if u < 1 {
			u *= 0.05
		}
		w := 0.4 * u
		if o := k.statement(); o != nil && body != nil && o != body && sameBody(g.src, o, body) {
			w *= 15
		}
		put(k.text(g.src), w)
	}
	for _, name := range g.facts.scope {
		if g.facts.inScope[name] == 0 || builtins[name] || g.facts.calls[name] != nil || name == "self" {
			continue
		}
		w := 0.1
		if containsString(g.facts.params, name) {
			w = 0.2
		}
		if body != nil && mentions(g.src, body, name) {
			w *= 2.5
		}
		put(name, w)
		put("not "+name, w*0.8)
		put(name+" is None", w)
		put(name+" is not None", w)
	}
	return ts
}

// sameBody reports whether two compound statements have the same body.
func sameBody(src []byte, a, b *node) bool {
	x, y := a.child("consequence"), b.child("consequence")
	return x != nil && y != nil && flat(x.text(src)) == flat(y.text(src))
}

func mentions(src []byte, n *node, name string) bool {
	found := false
	n.walk(func(k *node) bool {
		if k.kind == "identifier" && k.text(src) == name {
			found = true
		}
		return !found
	})
	return found
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") }
