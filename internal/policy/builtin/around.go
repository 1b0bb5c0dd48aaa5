package builtin

import (
	"strings"

	"breakfix/internal/tree"
)

// What is put around or behind any value of a function.
var (
	around = []string{"abs", "len", "sum", "max", "min", "sorted", "set", "list", "str", "int", "reversed", "tuple", "round", "sorted(set"}
	seldom = []string{"float", "bool", "dict", "iter", "next", "frozenset", "hash", "repr", "any", "all"}
	behind = []string{".lower()", ".upper()", ".strip()", ".copy()", "[0]", "[-1]", "[1:]", "[:-1]", "[::-1]", ".items()", ".values()", ".keys()"}
)

// Limits of anyCall.
const (
	nearMost  = 6 // names that a value is bounded by
	ownParams = 2 // a function of at most so many parameters is called again
)

// anyCall offers calls, subscripts and bounds around a value.
func (g *generator) anyCall(n *node, near []string) {
	if n.kind == "integer" || n.kind == "float" {
		return
	}
	text, bare := n.text(g.src), n.text(g.src)
	if n.kind == "binary_operator" || n.kind == "unary_operator" {
		bare = "(" + text + ")"
	}
	bare2 := strings.TrimSuffix(strings.TrimPrefix(text, "("), ")")
	if n.kind != "parenthesized_expression" {
		bare2 = text
	}
	for _, f := range around {
		if f == "sorted(set" {
			g.emit(kindWrap, n, n.replace("sorted(set("+bare2+"))"), "sorted(set("+clip(text)+"))", 0.03)
			continue
		}
		g.emit(kindWrap, n, n.replace(f+"("+bare2+")"), f+"("+clip(text)+")", 0.04)
	}
	for _, f := range seldom {
		g.emit(kindWrap, n, n.replace(f+"("+bare2+")"), f+"("+clip(text)+")", 0.005)
	}
	if f := g.facts.function; f != nil && len(g.facts.params) <= ownParams && len(g.facts.params) > 0 {
		call := functionName(g.src, f) + "(" + bare2
		for _, p := range g.facts.params[1:] {
			call += ", " + p
		}
		g.emit(kindWrap, n, n.replace(call+")"), "call itself with "+clip(text), 0.06)
	}
	if n.kind != "list" && n.kind != "tuple" {
		for _, m := range behind {
			g.emit(kindWrap, n, n.replace(bare+m), clip(text)+m, 0.03)
		}
	}
	g.emit(kindWrap, n, n.replace("("+bare2+",)"), "("+clip(text)+",)", 0.005)
	g.emit(kindWrap, n, n.replace("["+bare2+"]"), "["+clip(text)+"]", 0.005)
	if n.kind != "list" && n.kind != "tuple" && !operates(n.kind) && (n.parent.kind == "argument_list" || n.parent.kind == "return_statement" || n.parent.kind == "assignment") {
		for _, d := range [...]string{"[]", "{}", "()", "0", "None", "''"} {
			g.emit(kindAddCond, n, n.replace(bare2+" or "+d), "… or "+d, 0.005)
		}
	}
	for _, a := range near {
		if a == text {
			continue
		}
		for _, f := range [...]string{"max", "min"} {
			g.emit(kindWrap, n, n.replace(f+"("+a+", "+bare2+")"), f+"("+a+", "+clip(text)+")", 0.03)
		}
	}
	for _, a := range near {
		if !isDigits(a) && a != text {
			g.emit(kindWrap, n, n.replace("min("+bare2+", "+a+" - 1)"), "min("+clip(text)+", "+a+" - 1)", 0.01)
		}
	}
}

// indices offers to exchange two subscripts that follow one another, and to
// read from the other end.
func (g *generator) indices(n *node) {
	value, at := n.child("value"), n.child("subscript")
	if value == nil || at == nil {
		return
	}
	if inner := value.child("subscript"); value.kind == "subscript" && inner != nil {
		g.swap(kindSwap, n, inner, at, "", 0.7)
	}
	if at.kind == "slice" {
		text := at.text(g.src)
		put := func(to string, w float64) {
			if to != text {
				g.emit(kindOffset, at, at.replace(to), clip(text)+" → "+clip(to), w)
			}
		}
		lo, hi, found := strings.Cut(text, ":")
		if found && !strings.Contains(hi, ":") {
			if lo != "" && hi == "" {
				put(":"+lo, 0.4)
			}
			if hi != "" && lo == "" {
				put(hi+":", 0.4)
			}
			put(lo+":"+hi+":2", 0.1)
			for _, end := range []string{lo, hi} {
				if end != "" && !strings.HasPrefix(end, "-") && isDigits(end) == (end[0] >= '0' && end[0] <= '9') {
					put(strings.Replace(text, end, "-"+end, 1), 0.2)
				}
			}
		}
		if text == "::-1" {
			put("::1", 0.1)
		}
		return
	}
	for _, to := range []string{"0", "-1", "1"} {
		if to != at.text(g.src) {
			g.emit(kindLiteral, at, at.replace(to), clip(at.text(g.src))+" → "+to, 0.15)
		}
	}
}

// ordered offers keywords of sorting and choosing.
func (g *generator) choosing(n, callee, args *node) {
	name := callee.text(g.src)
	name = name[strings.LastIndexByte(name, '.')+1:]
	var more []string
	switch name {
	case "sorted", "sort":
		more = []string{"reverse=True", "key=len", "key=abs", "key=str", "key=str.lower", "key=lambda x: x[1]", "key=lambda x: x[0]", "key=lambda x: -x"}
	case "max", "min":
		more = []string{"key=len", "key=abs", "default=0", "default=None", "key=lambda x: x[1]"}
	case "enumerate":
		more = []string{"1"}
	case "split", "rsplit":
		more = []string{`" "`, `","`}
	case "round":
		more = []string{"2", "1"}
	case "range":
		if ps := args.parts(); len(ps) == 1 { // a start before the end
			for _, to := range []string{"1", "2", "0"} {
				g.emit(kindArgument, args, []tree.Edit{{Start: ps[0].start, End: ps[0].start, New: to + ", "}}, "begin at "+to, 0.6)
			}
		} else if len(ps) == 2 {
			more = []string{"-1", "2"}
		}
	}
	ps := args.parts()
	if len(ps) == 0 {
		if name == "sort" {
			for _, m := range more {
				g.emit(kindArgument, args, []tree.Edit{{Start: args.end - 1, End: args.end - 1, New: m}}, "add "+m, 0.4)
			}
		}
		return
	}
	for _, p := range ps { // a call has one of each
		k := p.child("name")
		for i := 0; k != nil && i < len(more); i++ {
			if strings.HasPrefix(more[i], k.text(g.src)+"=") {
				more = append(append([]string(nil), more[:i]...), more[i+1:]...)
				i--
			}
		}
	}
	last := ps[len(ps)-1]
	if last.kind == "generator_expression" {
		return
	}
	for i, m := range more {
		g.emit(kindArgument, args, []tree.Edit{{Start: last.end, End: last.end, New: ", " + m}}, "add "+m, 0.5/float64(1+i))
	}
}

// scaled offers numbers that are near in another way than by one.
func (g *generator) scaled(n *node, v int) {
	text := n.text(g.src)
	seen := map[int]bool{v: true}
	for _, to := range [...]int{v * 2, v * 10, v + 10, v - 10, v + 2, v - 2, v / 2, v / 10, v + 100, v - 100, 10, 3} {
		if !seen[to] && to < 1<<40 {
			seen[to] = true
			g.emit(kindLiteral, n, n.replace(itoa(to)), text+" → "+itoa(to), 0.06)
		}
	}
}

// spelled offers a string with one letter less, or in both cases.
func (g *generator) spelled(n *node) {
	text := n.text(g.src)
	if len(text) < 3 || text[0] != '"' && text[0] != '\'' || strings.HasPrefix(text, `"""`) || strings.Contains(text, "\\") || len(text) > 40 {
		return
	}
	quote, body := text[:1], text[1:len(text)-1]
	put := func(to string, w float64) {
		if to != body {
			g.emit(kindString, n, n.replace(quote+to+quote), clip(text)+" → "+clip(to), w)
		}
	}
	if len(body) <= 16 {
		for i := range body {
			if body[i] < 128 {
				put(body[:i]+body[i+1:], 0.1)
			}
		}
	}
	if low, up := strings.ToLower(body), strings.ToUpper(body); low != up && len(body) > 1 {
		put(low+up, 0.1)
	}
	put(strings.TrimSpace(body), 0.2)
	if strings.TrimSpace(body) == body {
		put(body+" ", 0.1)
		put(" "+body, 0.05)
	}
}
