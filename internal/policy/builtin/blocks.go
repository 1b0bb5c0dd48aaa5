package builtin

import (
	"strings"

	"breakfix/internal/tree"
)

// gap offers statements to put in before statement i of a block (after the
// last one for i = len(ps)).
func (g *generator) gap(b *node, ps []*node, i int) {
	var prev, next *node
	if i > 0 {
		prev = ps[i-1]
	}
	if i < len(ps) {
		next = ps[i]
	}
	switch {
	case next != nil && strings.TrimSpace(string(g.src[lineStart(g.src, next.start):next.start])) == "":
		at := lineStart(g.src, next.start)
		lo, hi := next.row-1, next.row-1
		if prev != nil {
			lo = prev.last
		} else if b.parent != nil {
			lo = b.parent.row
			for _, k := range b.parent.kids {
				if k.end <= b.start && k.last > lo {
					lo = k.last
				}
			}
		}
		place := unreachable - 1
		for l := lo; l <= hi; l++ { // blank lines and comments between
			place = max(place, g.span.gap(l))
		}
		indent := indentAt(g.src, next.start)
		// The line may have stood before or after blank lines; take the place
		// that the window names when it is one of them.
		if g.span.gone() && g.span.coreLast >= lo && g.span.coreLast < hi {
			at = g.offsetOfLine(g.span.coreLast + 1)
		}
		g.fill(kindInsert, at, at, place, prev, next, indent, indent, "\n", 1)
		switch next.kind {
		case "function_definition", "class_definition":
			g.decorate(next, place, indent)
		case "decorated_definition":
			g.decorate(next, place, indent)
			if inner := next.child("definition"); inner != nil && g.core(inner.row-1, inner.row) {
				g.decorate(inner, g.span.gap(inner.row-1), indent)
			}
		}
	case prev != nil && next == nil:
		at := lineEnd(g.src, prev.end)
		indent := indentAt(g.src, prev.start)
		g.fill(kindInsert, at, at, g.span.gap(prev.last), prev, nil, indent, "\n"+indent, "", 1)
	}
}

func (g *generator) offsetOfLine(line int) int {
	at := 0
	for l := 1; l < line && at < len(g.src); l++ {
		at = min(lineEnd(g.src, at)+1, len(g.src))
	}
	return at
}

// fill offers statements of the file, and a few that follow from the names at
// hand, in the place [start, end), with lead and tail around them.
func (g *generator) fill(kind Kind, start, end int, place float64, prev, next *node, indent, lead, tail string, scale float64) {
	if place < unreachable+2 {
		return
	}
	beside := prev
	if beside == nil {
		beside = next
	}
	put := func(kind Kind, text string, w float64) {
		if !mayStand(text, beside) {
			return
		}
		g.offer(kind, start, end, place, []tree.Edit{{Start: start, End: end, New: lead + text + tail}}, clip(text), w*scale)
	}
	prevText, nextText := neighbour(g.src, prev), neighbour(g.src, next)
	weigh := func(s *node) float64 {
		w := 0.25
		u := g.usable(s)
		w *= u * u * u
		siblings := s.parent.parts()
		at := 0
		for i, x := range siblings {
			if x == s {
				at = i
			}
		}
		if p := neighbour(g.src, before(siblings, at)); p == prevText && p != "" {
			w *= 12
		} else if p == "" && prevText == "" {
			w *= 2
		}
		if p := neighbour(g.src, after(siblings, at)); p == nextText && p != "" {
			w *= 12
		} else if p == "" && nextText == "" {
			w *= 2
		}
		t := s.text(g.src)
		if t == prevText || t == nextText {
			w *= 0.1
		}
		for word := range g.hints.words { // a sum of independent factors: order does not matter
			if len(word) > 2 && strings.HasPrefix(t, word+" = ") {
				w *= 6
			}
		}
		return w
	}
	seen := map[string]int{}
	elsewhere := g.windowed() && !g.told(place) // than a window tells: hardly what is missing
	for _, s := range g.facts.simple {
		if s.start >= start && s.end <= end && end > start || elsewhere && !g.facts.own(s) {
			continue
		}
		text := reindent(s.text(g.src), indentAt(g.src, s.start), indent)
		seen[text]++
		if seen[text] < 4 {
			put(kind, text, weigh(s))
		}
	}
	for _, s := range g.facts.guards {
		if s.start >= start && s.end <= end && end > start || elsewhere && !g.facts.own(s) {
			continue
		}
		put(kindGuard, reindent(s.text(g.src), indentAt(g.src, s.start), indent), 2*weigh(s))
	}
	if elsewhere {
		return
	}
	inner := deeper(indent)
	if start == end && beside != nil { // nothing is replaced
		if prev == nil || docstring(prev) {
			g.guards(put, beside.parent, indent, inner)
		}
		g.doing(put, beside, inner)
		if g.told(place) {
			g.guarded(put, beside, inner)
			g.made(put, beside)
		}
	} else if at := nodeOver(g.root, start, end); at != nil && at.kind == "pass_statement" { // nor is it here
		g.doing(put, at, inner)
		if g.told(place) {
			g.made(put, at)
		}
	}
	g.templates(put, indent)
}

// mayStand reports whether statements compile beside another: no return
// outside a function, no continue or break outside a loop.
func mayStand(text string, beside *node) bool {
	if beside == nil {
		return true
	}
	scope := beside.up("function_definition", "class_definition", "module")
	inFunction := scope != nil && scope.kind == "function_definition"
	around := beside.up("for_statement", "while_statement", "function_definition", "class_definition", "module")
	inLoop := around != nil && (around.kind == "for_statement" || around.kind == "while_statement")
	for _, line := range strings.Split(text, "\n") {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "return", "yield", "await":
			if !inFunction {
				return false
			}
		case "for", "while", "async":
			inLoop = true
		case "def":
			inFunction = true
		case "continue", "break":
			if !inLoop {
				return false
			}
		}
	}
	return true
}

// neighbour is what a statement is recognised by.
func neighbour(src []byte, n *node) string {
	if n == nil {
		return ""
	}
	t := n.text(src)
	if i := strings.IndexByte(t, '\n'); i >= 0 {
		t = t[:i]
	}
	return t
}

// templates offers statements that no other place of the file has.
func (g *generator) templates(put func(Kind, string, float64), indent string) {
	f := g.facts
	inner := deeper(indent)
	method := containsString(f.params, "self")
	for _, p := range f.params {
		if p == "self" || p == "cls" {
			continue
		}
		if method {
			w := 0.1
			if f.function != nil && functionName(g.src, f.function) == "__init__" {
				w = 0.8
			}
			put(kindInsert, "self."+p+" = "+p, w)
			put(kindInsert, "self._"+p+" = "+p, w*0.6)
			put(kindInsert, "self.__"+p+" = "+p, w*0.6)
		}
	}
	for _, v := range g.values() {
		put(kindInsert, "return "+v.text, v.weight*0.5)
	}
	for _, name := range f.scope {
		if f.inScope[name] == 0 || builtins[name] || name == "self" {
			continue
		}
		w := 0.1
		if containsString(f.params, name) {
			w = 0.3
		}
		put(kindInsert, name+" += 1", 0.15)
		put(kindInsert, name+" -= 1", 0.1)
		for _, c := range []string{"not " + name, name + " is None", name, name + " is not None"} {
			put(kindGuard, "if "+c+":\n"+inner+"return", w*0.4)
			put(kindGuard, "if "+c+":\n"+inner+"return "+name, w*0.15)
			put(kindGuard, "if "+c+":\n"+inner+"return None", w*0.2)
			put(kindGuard, "if "+c+":\n"+inner+"continue", w*0.1)
			put(kindGuard, "if "+c+":\n"+inner+"break", w*0.05)
		}
		for i, r := range f.raises {
			if i < 3 {
				put(kindGuard, "if not "+name+":\n"+inner+r, w*0.2)
				put(kindGuard, "if "+name+" is None:\n"+inner+r, w*0.1)
			}
		}
	}
	for _, j := range []string{"break", "continue", "return", "raise"} {
		put(kindInsert, j, 0.3)
	}
}

// handler offers other exception types and bodies of a handler.
func (g *generator) handler(n *node) {
	place := g.span.line(n.row, n.row)
	var types, bodies []*node
	for _, p := range n.parts() {
		if p.kind == "block" {
			bodies = append(bodies, p)
		} else {
			types = append(types, p)
		}
	}
	if len(types) == 1 {
		t := types[0]
		if ps := t.parts(); t.kind == "as_pattern" && len(ps) > 0 {
			t = ps[0]
		}
		for i, e := range append(append([]string(nil), g.facts.exceptions...), "KeyError", "ValueError", "TypeError", "AttributeError", "IndexError", "Exception", "StopIteration", "OSError", "ImportError", "RuntimeError", "NotImplementedError", "UnicodeDecodeError", "AssertionError") {
			if e != t.text(g.src) {
				g.offer(kindException, n.start, t.end, place, t.replace(e), clip(t.text(g.src))+" → "+clip(e), 1/float64(1+i/3))
			}
		}
	}
	if len(bodies) == 1 {
		ps := bodies[0].parts()
		if len(ps) > 0 {
			last := ps[len(ps)-1]
			g.offer(kindException, last.start, last.end, g.span.line(last.row, last.last), last.replace("raise"), "raise", 1)
		}
	}
}

func (g *generator) raised(n *node) {
	place := g.span.line(n.row, n.last)
	for i, r := range g.facts.raises {
		if r != n.text(g.src) {
			g.offer(kindException, n.start, n.end, place, n.replace(r), clip(r), 0.7/float64(1+i/3))
		}
	}
	call := n.parts()
	if len(call) == 0 {
		return
	}
	at := call[0]
	if f := at.child("function"); at.kind == "call" && f != nil {
		at = f
	}
	for i, e := range []string{"ValueError", "TypeError", "KeyError", "IndexError", "AttributeError", "RuntimeError", "StopIteration", "NotImplementedError"} {
		if e != at.text(g.src) {
			g.offer(kindException, n.start, n.end, place, at.replace(e), "raise "+e, g.hints.said(e)*0.6/float64(1+i/3))
		}
	}
	for _, r := range []string{"raise", "pass", "return", "continue"} {
		g.offer(kindJump, n.start, n.end, place, n.replace(r), clip(n.text(g.src))+" → "+r, 0.3)
	}
}

// definition offers to make a function async or plain, and other defaults.
func (g *generator) definition(n *node) {
	place := g.span.line(n.row, n.row)
	if len(n.kids) == 0 {
		return
	}
	if ps := n.child("parameters"); ps != nil {
		for i, p := range ps.parts() {
			g.defaulted(p)
			g.madeAnew(n, ps.parts(), i)
		}
	}
	if n.kids[0].kind == "async" {
		g.offer(kindAwait, n.start, n.start+5, place, []tree.Edit{{Start: n.start, End: n.kids[1].start}}, "take out async", 0.5)
	} else if g.facts.asynchronous {
		g.offer(kindAwait, n.start, n.start+3, place, []tree.Edit{{Start: n.start, End: n.start, New: "async "}}, "put in async", 0.3)
	}
}
