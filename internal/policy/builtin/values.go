package builtin

import (
	"strings"

	"breakfix/internal/tree"
)

// assignment offers other kinds of assignment and other values.
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
			if w = 0.6; left.kind == "identifier" && n.up("for_statement", "while_statement") != nil && !mentions(g.src, right, left.text(g.src)) {
				w = 0.1 // it adds up
			}
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
		if p := s.statement(); p != nil && g.facts.own(p) {
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
		for _, call := range g.passedOn() {
			offer(call, 0.01)
		}
		for _, value := range g.facts.pool {
			offer(value, 0.005)
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
			for _, form := range [...]string{"not NAME", "len(NAME)", "sum(NAME)", "max(NAME)", "min(NAME)", "NAME[0]", "NAME[-1]", "sorted(NAME)", "list(NAME)", "str(NAME)", "int(NAME)", "-NAME", "NAME + 1", "NAME - 1"} {
				put(strings.Replace(form, "NAME", name, 1), w*0.1)
			}
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

// passedOn lists calls, of the names that the file defines and imports, with
// what the function is given.
func (g *generator) passedOn() []string {
	var own []string
	for _, p := range g.facts.params {
		if !pythonKeywords[p] {
			own = append(own, p)
		}
	}
	var out []string
	if len(own) == 0 || g.facts.function == nil {
		return nil
	}
	given, self := "("+strings.Join(own, ", ")+")", functionName(g.src, g.facts.function)
	for _, name := range g.facts.scope {
		if (g.facts.inScope[name] == 0 || len(g.facts.calls[name]) > 0) && name != self && len(out) < 60 {
			out = append(out, name+given)
		}
	}
	if g.windowed() { // to what modules and attributes have
		of := g.ofSelf()
		for _, name := range g.facts.scope {
			if g.facts.modules[name] || g.facts.imported[name] {
				of = append(of, name)
			}
		}
		for _, o := range of {
			out = append(out, o+"."+self+given)
			for _, m := range g.methodsOf(o) {
				out = append(out, o+"."+m+given)
			}
		}
	}
	return out
}

func functionName(src []byte, f *node) string {
	if n := f.child("name"); n != nil {
		return n.text(src)
	}
	return ""
}
