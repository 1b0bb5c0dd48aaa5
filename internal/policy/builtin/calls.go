package builtin

import (
	"errors"
	"strings"

	"breakfix/internal/tree"
)

var errNotANumber = errors.New("not a whole number")

// conversions are calls of one argument that conversion_removal takes off.
var conversions = []string{"str", "int", "list", "tuple", "set", "float", "dict", "bool", "iter", "len", "sorted", "reversed", "bytes", "frozenset", "abs"}

// methods are calls without argument that are put behind a value.
var methods = []string{".copy()", ".strip()", ".lower()", ".upper()", ".items()", ".keys()", ".values()", ".encode()", ".decode()"}

func (g *generator) call(n *node) {
	callee, args := n.child("function"), n.child("arguments")
	if callee == nil || args == nil {
		return
	}
	name := callee.text(g.src)
	if args.kind == "generator_expression" {
		g.emit(kindUnwrap, n, n.replace(args.text(g.src)), "take off "+clip(name), 0.3)
		return
	}
	ps := args.parts()
	var positional []*node
	for _, p := range ps {
		if p.kind != "keyword_argument" && p.kind != "list_splat" && p.kind != "dictionary_splat" {
			positional = append(positional, p)
		}
	}
	for i := 0; i+1 < len(positional); i++ {
		g.swap(kindArgs, args, positional[i], positional[i+1], "", 1)
	}
	if len(positional) > 2 {
		g.swap(kindArgs, args, positional[0], positional[2], "", 0.3)
	}
	if len(ps) > 0 && n.parent.kind != "expression_statement" {
		w := 0.2
		if len(ps) == 1 {
			w = 0.5
			if containsString(conversions, name) || name == "not" {
				w = 1.2
			}
		}
		g.emit(kindUnwrap, n, n.replace(ps[0].text(g.src)), "take off "+clip(name)+"()", w)
	}
	if callee.kind == "attribute" && n.parent.kind != "expression_statement" {
		object := callee.child("object").text(g.src)
		w := 0.3
		if len(ps) == 0 {
			w = 0.8
		}
		g.emit(kindUnwrap, n, n.replace(object), "take off ."+clip(callee.child("attribute").text(g.src))+"()", w)
	}
	g.arguments(n, callee, args, ps)
	if g.async(n) {
		if n.parent.kind != "await" {
			g.emit(kindAwait, n, n.replace("await "+n.text(g.src)), "put in await", 1)
		}
	}
	if n.parent.kind == "return_statement" || n.parent.kind == "assignment" || n.parent.kind == "argument_list" {
		g.wrap(n, "call", nil)
	}
}

// async reports whether n stands in an async function, or looks as if it did.
func (g *generator) async(n *node) bool {
	f := n.up("function_definition", "lambda")
	return f != nil && len(f.kids) > 0 && f.kids[0].kind == "async"
}

// arguments offers to leave an argument out and to add one.
func (g *generator) arguments(n, callee, args *node, ps []*node) {
	name := callee.text(g.src)
	for i, p := range ps {
		start, end := p.start, p.end
		if i+1 < len(ps) {
			end = ps[i+1].start
		} else if i > 0 {
			start = ps[i-1].end
		}
		g.emit(kindArgument, args, []tree.Edit{{Start: start, End: end}}, "leave out "+clip(p.text(g.src)), 0.25)
	}
	// Arguments that other calls of the same function have.
	seen := map[string]bool{}
	for _, p := range ps {
		seen[p.text(g.src)] = true
	}
	join := ", "
	if len(ps) == 0 {
		join = ""
	}
	at := args.end - 1
	if len(ps) > 0 {
		at = ps[len(ps)-1].end
	}
	put := func(text string, w float64) {
		if !seen[text] && !strings.Contains(text, "\n") && len(text) < 60 {
			seen[text] = true
			g.emit(kindArgument, args, []tree.Edit{{Start: at, End: at, New: join + text}}, "add "+clip(text), w)
		}
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == "get" || last == "pop" || last == "getattr" || last == "next" {
		put("None", 1)
		put("default", 0.5)
		put("0", 0.3)
		put("[]", 0.15)
		put("{}", 0.15)
		put("1", 0.2)
	}
	for _, other := range g.facts.calls[name] {
		if a := other.child("arguments"); other != n && a != nil {
			for i, p := range a.parts() {
				if i >= len(ps) {
					put(p.text(g.src), 0.4*g.usable(p))
				} else if w := 0.3 * g.usable(p); p.text(g.src) != ps[i].text(g.src) {
					g.emit(kindValue, ps[i], ps[i].replace(p.text(g.src)), clip(ps[i].text(g.src))+" → "+clip(p.text(g.src)), w)
				}
			}
		}
	}
	for _, s := range g.facts.scope {
		if g.facts.inScope[s] > 0 && !builtins[s] {
			put(s, 0.08)
		}
	}
	for _, s := range g.facts.splats {
		put(s, 0.1)
	}
	for _, e := range g.facts.pool {
		put(e, 0.003)
	}
	g.keywords(name, args, ps)
}

// keywords offers keyword arguments between those that there are: what other
// calls of the same function have, and what the function was given itself
// under that name.
func (g *generator) keywords(name string, args *node, ps []*node) {
	used := map[string]bool{}
	first := len(ps)
	for i, p := range ps {
		if key := p.child("name"); p.kind == "keyword_argument" && key != nil {
			used[key.text(g.src)] = true
			first = min(first, i)
		}
	}
	put := func(key, text string, w float64) {
		if used[key] || strings.Contains(text, "\n") || len(text) > 60 {
			return
		}
		used[key] = true
		for i := first; i < len(ps); i++ {
			g.emit(kindArgument, args, []tree.Edit{{Start: ps[i].start, End: ps[i].start, New: text + ", "}}, "add "+clip(text), w)
		}
		if n := len(ps); n > 0 {
			g.emit(kindArgument, args, []tree.Edit{{Start: ps[n-1].end, End: ps[n-1].end, New: ", " + text}}, "add "+clip(text), w)
		}
	}
	for _, other := range g.facts.calls[name] {
		for _, p := range other.child("arguments").parts() {
			if key := p.child("name"); p.kind == "keyword_argument" && key != nil && g.usable(p) == 1 {
				put(key.text(g.src), p.text(g.src), 0.05)
			}
		}
	}
	for i, p := range g.facts.params {
		if i < 8 && !pythonKeywords[p] {
			put(p, p+"="+p, 0.03)
		}
	}
}

// wrap offers calls around a value.
func (g *generator) wrap(n *node, _ string, first []string) {
	text := n.text(g.src)
	if len(text) > 60 || n.last > n.row {
		return
	}
	w := 1.0
	seen := map[string]bool{}
	put := func(name string, weight float64) {
		if !seen[name] && name != "print" {
			seen[name] = true
			g.emit(kindWrap, n, n.replace(name+"("+text+")"), name+"("+clip(text)+")", weight)
		}
	}
	for _, c := range first {
		put(c, w)
	}
	for i, name := range g.facts.wrapperNames() {
		if i >= 12 {
			break
		}
		put(name, 0.8/float64(1+i/3))
	}
	for _, c := range conversions[:8] {
		put(c, 0.3)
	}
	for _, m := range methods {
		w := 0.08
		if g.facts.attrCount[strings.Trim(m, ".()")] > 0 {
			w = 0.5
		}
		g.emit(kindWrap, n, n.replace(text+m), clip(text)+m, w)
	}
}

func (g *generator) subscript(n *node) {
	value := n.child("value")
	if value == nil {
		return
	}
	w := 0.25
	if s := n.child("subscript"); s != nil && s.kind == "slice" {
		w = 1
	}
	g.emit(kindUnwrap, n, n.replace(value.text(g.src)), "take off the subscript", w)
	if n.parent.kind != "expression_statement" && n.field != "left" {
		g.emit(kindAddTerm, n, n.replace(value.text(g.src)+".get("+string(g.src[value.end+1:n.end-1])+")"), "use get", 0.2)
	}
}

func (g *generator) slice(n *node) {
	text := n.text(g.src)
	colon := strings.IndexByte(text, ':')
	if colon < 0 {
		return
	}
	lo, rest := text[:colon], text[colon+1:]
	offer := func(to string, w float64) {
		if to != text {
			g.emit(kindOffset, n, n.replace(to), clip(text)+" → "+clip(to), w)
		}
	}
	if !strings.Contains(rest, ":") {
		if lo == "" {
			offer("1:"+rest, 0.7)
		} else {
			offer(":"+rest, 0.4)
		}
		if rest == "" {
			offer(lo+":-1", 0.5)
		} else {
			offer(lo+":", 0.4)
		}
	}
}

func (g *generator) keyword(n *node) {
	key := n.child("name")
	if key == nil || n.parent.parent == nil {
		return
	}
	text := key.text(g.src)
	callee := ""
	if c := n.parent.parent.child("function"); c != nil {
		callee = c.text(g.src)
	}
	used := map[string]bool{} // a keyword that stands twice does not compile
	for _, p := range n.parent.parts() {
		if name := p.child("name"); p.kind == "keyword_argument" && name != nil {
			used[name.text(g.src)] = true
		}
	}
	for _, k := range g.facts.allKeys {
		if !used[k] {
			w := 0.15
			if containsString(g.facts.keywords[callee], k) {
				w = 1
			}
			if similar(k, text) {
				w *= 2
			}
			g.emit(kindKeyword, n, key.replace(k), text+"= → "+k+"=", w*g.hints.said(k))
		}
	}
	for _, k := range g.facts.params {
		if used[k] {
			continue
		}
		g.emit(kindKeyword, n, key.replace(k), text+"= → "+k+"=", 0.2*g.hints.said(k))
	}
}

// elements offers to leave out, exchange and add elements of a literal.
func (g *generator) elements(n *node) {
	ps := n.parts()
	for i, p := range ps {
		start, end := p.start, p.end
		if i+1 < len(ps) {
			end = ps[i+1].start
		} else if i > 0 {
			start = ps[i-1].end
		}
		g.emit(kindElement, n, []tree.Edit{{Start: start, End: end}}, "leave out "+clip(p.text(g.src)), 0.15)
		if i > 0 {
			g.swap(kindSwap, n, ps[i-1], p, "", 0.5)
		}
	}
	if n.kind == "pattern_list" || n.kind == "dictionary" {
		return
	}
	for _, name := range g.facts.scope {
		if g.facts.inScope[name] > 0 && !builtins[name] {
			g.element(n, ps, name, 1)
		}
	}
	for _, field := range g.ofSelf() {
		g.element(n, ps, field, 0.1)
	}
	if containsString(g.facts.params, "self") {
		for _, m := range g.facts.methods {
			g.element(n, ps, "self."+m, 0.1)
		}
	}
	for _, c := range [...]string{"None", "True", "False", "0", "1", `""`} {
		g.element(n, ps, c, 0.04)
	}
	if n.row <= g.span.winLast && n.last >= g.span.winFirst {
		for _, e := range g.facts.pool {
			g.element(n, ps, e, 0.02)
		}
	}
}

// element offers to put an element into a literal, anywhere between those that it has.
// elementsMost is in front of how many of the elements behind the first one another is put, wherever
// the change is.
const elementsMost = 6

func (g *generator) element(n *node, ps []*node, text string, scale float64) {
	if len(ps) == 0 {
		g.emit(kindElement, n, []tree.Edit{{Start: n.start + 1, End: n.start + 1, New: text}}, "add "+text, 0.15*scale)
		return
	}
	first, last := ps[0], ps[len(ps)-1]
	behind, before := []tree.Edit{{Start: last.end, End: last.end, New: ", " + text}}, []tree.Edit{{Start: first.start, End: first.start, New: text + ", "}}
	if n.kind == "tuple" && len(ps) == 1 { // its comma goes
		behind[0].End = n.end - 1
		before = append(before, tree.Edit{Start: last.end, End: n.end - 1})
	}
	g.emit(kindElement, n, behind, "add "+text, 0.15*1.5*scale)
	g.emit(kindElement, n, before, "add "+text, 0.15*scale)
	for i, p := range ps[1:] {
		if i >= elementsMost && (p.row == first.row || !g.core(p.row, p.row)) {
			continue
		}
		g.emit(kindElement, n, []tree.Edit{{Start: p.start, End: p.start, New: text + ", "}}, "add "+text, 0.02*scale)
	}
}
