package builtin

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"breakfix/internal/tree"
)

// joined offers, where a window tells the place, another term before or behind a value that is
// one of a condition or may stand in one.
func (g *generator) joined(n *node) {
	if n.last > n.row || n.end-n.start > 100 || !g.core(n.row, n.last) || !joins(n) {
		return
	}
	text := n.text(g.src)
	for _, t := range g.joinable(n) {
		for _, op := range [...]string{" and ", " or "} {
			g.emit(kindAddCond, n, n.replace(text+op+t), "…"+op+t, rare)
			g.emit(kindAddCond, n, n.replace(t+op+text), t+op+"…", rare)
		}
	}
}

// joins reports whether a term may stand beside n without brackets.
func joins(n *node) bool {
	switch n.kind {
	case "comparison_operator", "boolean_operator", "not_operator":
	default:
		if !readable(n) {
			return false
		}
	}
	switch n.parent.kind {
	case "boolean_operator", "if_statement", "elif_clause", "while_statement", "parenthesized_expression", "assignment", "return_statement", "argument_list", "keyword_argument", "if_clause":
		return true
	case "generator_expression", "list_comprehension", "set_comprehension":
		return n.index == 1
	case "lambda":
		return n.field == "body"
	case "conditional_expression":
		return n.index > 0 && n.parent.kids[n.index-1].kind == "if"
	}
	return false
}

// Limits of joinable: names that terms are made of, and those of them that are measured.
const (
	joinedMost   = 24
	measuredMost = 8
)

// joinable lists the terms that joined puts beside n: tests of what stands near and of what the
// function has, the conditions of the file asked about it, and the other terms of the condition once more.
func (g *generator) joinable(n *node) []string {
	seen := map[string]bool{}
	var out []string
	of := variables(joinedMost, g.near(n, joinedMost), g.facts.params, g.ofSelf())
	for i, name := range of {
		for _, t := range [...]string{name, "not " + name, name + " is None", name + " is not None"} {
			add(&out, seen, t)
		}
		if i < measuredMost {
			for _, t := range [...]string{"len(" + name + ")", "len(" + name + ") == 1", "len(" + name + ") != 1", name + " == 0", name + " > 0"} {
				add(&out, seen, t)
			}
		}
	}
	for _, t := range g.asked(n) {
		add(&out, seen, t)
	}
	switch n.parent.kind {
	case "boolean_operator", "if_statement", "elif_clause", "while_statement", "return_statement":
		for _, t := range g.called(n) {
			add(&out, seen, t)
		}
	}
	if p := n.parent; p.kind == "boolean_operator" {
		for _, t := range p.parts() {
			if t.last == t.row && t.kind != "boolean_operator" {
				add(&out, seen, t.text(g.src))
			}
		}
	}
	return out
}

// locking is how names of what is held in a with block end.
var locking = regexp.MustCompile(`(?i)(lock|mutex|semaphore|condition|cond)$`)

// locks lists what the file may hold a with block for, whether it does or not: what is named so, of
// the receivers that it is seen on; of a class it is also read by self and by its name.
func (g *generator) locks() []string {
	seen := map[string]bool{}
	var out []string
	g.root.walk(func(n *node) bool {
		switch n.kind {
		case "attribute":
			if name := n.child("attribute"); name != nil && n.last == n.row && n.field != "function" && locking.MatchString(name.text(g.src)) {
				add(&out, seen, n.text(g.src))
			}
		case "assignment":
			left := n.child("left")
			if left == nil || left.kind != "identifier" || !locking.MatchString(left.text(g.src)) {
				break
			}
			name := left.text(g.src)
			if class := n.up("class_definition"); class == nil || n.up("function_definition") != nil {
				add(&out, seen, name)
			} else {
				for _, of := range [...]string{class.child("name").text(g.src), "self", "cls"} {
					add(&out, seen, of+"."+name)
				}
			}
		}
		return len(out) < 8
	})
	return out
}

// acquired is what a statement acquires and nothing else; empty where it does something else.
func acquired(s *node, src []byte) string {
	if of, ok := strings.CutSuffix(s.text(src), ".acquire()"); ok && s.kind == "expression_statement" && !strings.ContainsAny(of, "\n=") {
		return of
	}
	return ""
}

// Limits of paired: keys, the most frequent ones, and values that a pair is made of, of those that the
// dictionary has and of those that the key has elsewhere.
const (
	keysMost  = 24
	pairsMost = 4
)

// paired offers a pair in a dictionary, where a window tells that one may be missing: with a key of
// other dictionaries of the file, and a value of this one or of those.
func (g *generator) paired(n *node) {
	ps := n.parts()
	if n.kind != "dictionary" || len(ps) == 0 || !g.overlaps(n) {
		return
	}
	seen, seenValue := map[string]bool{}, map[string]bool{}
	var own []string
	for _, p := range ps {
		if k, v := p.child("key"), p.child("value"); k != nil && v != nil {
			seen[k.text(g.src)] = true
			if v.last == v.row && len(own) < pairsMost {
				add(&own, seenValue, v.text(g.src))
			}
		}
	}
	quote := `"`
	if k := ps[0].child("key"); k != nil && k.kind == "string" && g.src[k.start] == '\'' {
		quote = "'"
	}
	count, values := map[string]int{}, map[string][]string{}
	var keys []string
	g.root.walk(func(d *node) bool {
		if d.kind != "pair" || d.parent == n {
			return true
		}
		k, v := d.child("key"), d.child("value")
		if k == nil || v == nil || k.kind != "string" || d.last > d.row || seen[k.text(g.src)] {
			return true
		}
		key, value := k.text(g.src), v.text(g.src)
		if count[key]++; count[key] == 1 {
			keys = append(keys, key)
		}
		if len(values[key]) < pairsMost && !slices.Contains(values[key], value) && g.usable(v) == 1 {
			values[key] = append(values[key], value)
		}
		return true
	})
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(count[b], count[a]) })
	var pairs []string
	for _, k := range keys[:min(len(keys), keysMost)] {
		for _, v := range slices.Concat(own, values[k]) {
			pairs = append(pairs, k+": "+v)
		}
	}
	for _, name := range variables(keysMost, g.near(n, nearMost), g.facts.params, g.facts.outer) { // under its own name
		if key := quote + name + quote; !seen[key] {
			pairs = append(pairs, key+": "+name)
		}
	}
	for i, p := range ps {
		before, behind := g.core(p.row, p.row), i+1 == len(ps) && g.core(p.last, p.last)
		for _, pair := range pairs {
			if before {
				g.emit(kindElement, n, []tree.Edit{{Start: p.start, End: p.start, New: pair + ", "}}, "add "+clip(pair), rare)
			}
			if behind {
				g.emit(kindElement, n, []tree.Edit{{Start: p.end, End: p.end, New: ", " + pair}}, "add "+clip(pair), rare)
			}
		}
	}
}
