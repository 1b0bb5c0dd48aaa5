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
		case "if_statement":
			g.branches(n)
			g.condition(n.child("condition"))
		case "elif_clause", "while_statement":
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
		if strings.Contains(s.text(g.src), ".acquire(") || i > 0 && ps[i-1].text(g.src) == s.text(g.src) {
			w = 4
		}
	}
	g.offer(kindDelete, s.start, s.end, g.span.line(s.row, s.last), []tree.Edit{{Start: start, End: end}}, clip(s.text(g.src)), w)
}

// order offers to exchange neighbouring statements.
func (g *generator) order(a, b *node) {
	if strings.TrimSpace(string(g.src[lineStart(g.src, a.start):a.start])) != "" || docstring(a) || a.kind == "import_statement" || a.kind == "import_from_statement" || a.kind == "future_import_statement" {
		return
	}
	place := max(g.span.line(a.row, a.last), g.span.line(b.row, b.last))
	if g.span.line(a.row, a.last) < -2 || g.span.line(b.row, b.last) < -2 {
		place -= 1.5 // an exchange leaves both its statements among the changed lines
	}
	if a.last-a.row > 12 || b.last-b.row > 12 {
		place--
	}
	w := 1.0
	g.offer(kindOrder, a.start, b.end, place, []tree.Edit{{Start: a.start, End: a.end, New: b.text(g.src)}, {Start: b.start, End: b.end, New: a.text(g.src)}},
		"exchange "+clip(a.text(g.src))+" and "+clip(b.text(g.src)), w)
}

// rotate offers to move a statement over two neighbours.
func (g *generator) rotate(a, b, c *node) {
	if docstring(a) || a.kind != "expression_statement" && c.kind != "expression_statement" {
		return
	}
	place := max(g.span.line(a.row, a.last), g.span.line(c.row, c.last)) - 3
	at, bt, ct := a.text(g.src), b.text(g.src), c.text(g.src)
	put := func(x, y, z string) {
		g.offer(kindOrder, a.start, c.end, place, []tree.Edit{{Start: a.start, End: a.end, New: x}, {Start: b.start, End: b.end, New: y}, {Start: c.start, End: c.end, New: z}}, "move a statement over two", 0.5)
	}
	put(bt, ct, at)
	put(ct, at, bt)
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
	for _, k := range n.kids {
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
		g.offer(kindBranches, n.start, n.end, place, []tree.Edit{{Start: yes.start, End: yes.end, New: b}, {Start: other.start, End: other.end, New: a}}, "exchange the branches", 1)
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
}

// forced offers conditions in the place of True or False.
func (g *generator) forced(c *node) {
	for _, t := range g.terms(c) {
		g.emit(kindCondition, c, c.replace(t.text), c.text(g.src)+" → "+clip(t.text), t.weight)
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

func (g *generator) assignment(n *node) {
	left, right := n.child("left"), n.child("right")
	if left == nil || right == nil {
		return
	}
	between := string(g.src[left.end:right.start])
	op := strings.TrimSpace(between)
	if n.child("type") != nil || op == "" {
		return
	}
	at := left.end + strings.Index(between, op)
	likely := map[string]string{"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|=", "<<=": ">>=", ">>=": "<<="}
	for _, o := range []string{"=", "+=", "-=", "*=", "/=", "//=", "|=", "&=", "%="} {
		w := 0.03
		if op == "=" {
			switch {
			case o == "+=":
				w = 0.35
			case o == "-=":
				w = 0.2
			}
			if n.up("for_statement", "while_statement") != nil {
				w *= 2
			}
		} else if o == "=" {
			w = 0.6
		} else if likely[op] == o {
			w = 1
		}
		if o != op {
			g.offer(kindAugment, n.start, n.end, g.span.line(n.row, n.last), []tree.Edit{{Start: at, End: at + len(op), New: o}}, op+" → "+o, w)
		}
	}
	g.value(right, kindValue)
	if right.kind != "call" {
		g.wrap(right, "assignment", nil)
	}
	if op == "=" && (right.kind == "identifier" || right.kind == "attribute" || right.kind == "none") {
		for _, d := range []string{"[]", "{}", "()", "0", "None"} {
			g.emit(kindAddCond, right, right.replace(right.text(g.src)+" or "+d), "… or "+d, 0.15)
		}
	}
}

// value offers other values of the file in an expression's place: the right
// sides of assignments to the same target first.
func (g *generator) value(n *node, kind Kind) {
	text := n.text(g.src)
	if n.last-n.row > 5 {
		return
	}
	target := ""
	if l := n.parent.child("left"); l != nil {
		target = l.text(g.src)
	}
	for _, s := range g.facts.simple {
		ps := s.parts()
		if len(ps) != 1 {
			continue
		}
		var value *node
		w := 0.1
		switch {
		case ps[0].kind == "assignment":
			value = ps[0].child("right")
			if l := ps[0].child("left"); l != nil && l.text(g.src) == target {
				w = 1.5
			}
		case s.kind == "return_statement":
			value = ps[0]
		}
		if value == nil || value == n || value.last > value.row || value.text(g.src) == text {
			continue
		}
		u := g.usable(value)
		if u < 1 {
			u *= 0.05
		}
		if p := s.statement(); g.facts.function != nil && p != nil && p.start >= g.facts.function.start && p.end <= g.facts.function.end {
			w *= 2
		}
		g.offer(kind, n.start, n.end, g.span.line(n.row, n.last), n.replace(value.text(g.src)), clip(text)+" → "+clip(value.text(g.src)), w*u)
	}
}

// returned offers other returned values.
func (g *generator) returned(n *node) {
	ps := n.parts()
	place := g.span.line(n.row, n.last)
	if len(ps) == 0 {
		for _, t := range g.values() {
			g.offer(kindReturn, n.start, n.end, place, n.replace("return "+t.text), "return "+clip(t.text), t.weight)
		}
		return
	}
	e := ps[0]
	text := e.text(g.src)
	offer := func(to string, w float64) {
		if to != text {
			g.offer(kindReturn, e.start, e.end, place, e.replace(to), "return "+clip(to), w)
		}
	}
	switch e.kind {
	case "not_operator":
		offer(strings.TrimSpace(strings.TrimPrefix(text, "not")), 1)
	case "none", "true", "false", "integer", "string", "list", "dictionary", "tuple":
		for _, t := range g.values() {
			offer(t.text, t.weight)
		}
	default:
		offer("not "+text, 0.1)
		for _, t := range g.values() {
			offer(t.text, t.weight*0.1)
		}
	}
	if e.kind != "call" {
		g.wrap(e, "return", nil)
	}
	g.offer(kindReturn, e.start, e.end, place, n.replace(text), "do not return", 0.15)
	g.value(e, kindValue)
	g.negated(e, 0.4)
}

// values lists what the function may return: what it binds, and what similar
// functions of the file return.
func (g *generator) values() []term {
	ts := []term{{"None", 0.2}, {"True", 0.4}, {"False", 0.4}, {"self", 0.15}}
	at := map[string]int{"None": 0, "True": 1, "False": 2, "self": 3}
	put := func(text string, w float64) {
		if i, ok := at[text]; ok {
			ts[i].weight += w
			return
		}
		at[text] = len(ts)
		ts = append(ts, term{text, w})
	}
	for _, name := range g.facts.scope {
		if g.facts.inScope[name] > 0 && !builtins[name] && g.facts.calls[name] == nil {
			w := 0.15
			for _, row := range g.facts.lastUse[name] {
				if row >= g.span.coreFirst-4 && row < g.span.coreFirst {
					w += 0.4
				}
			}
			put(name, w)
		}
	}
	for _, s := range g.facts.simple {
		ps := s.parts()
		if s.kind != "return_statement" || len(ps) != 1 || ps[0].last > ps[0].row {
			continue
		}
		u := g.usable(ps[0])
		if u < 1 {
			u *= 0.1
		}
		w := 0.3 * u
		if f := s.up("function_definition"); f != nil && g.facts.function != nil && f != g.facts.function && functionName(g.src, f) == functionName(g.src, g.facts.function) {
			w *= 4
		}
		put(ps[0].text(g.src), w)
	}
	if f := g.facts.function; f != nil { // self.__x, for a property or a getter of that name
		name := functionName(g.src, f)
		for _, a := range g.facts.receivers["self"] {
			w := 0.1
			if strings.Trim(a, "_") == strings.Trim(name, "_") && name != "" {
				w = 2
			}
			put("self."+a, w)
		}
	}
	return ts
}

func functionName(src []byte, f *node) string {
	if n := f.child("name"); n != nil {
		return n.text(src)
	}
	return ""
}
