package builtin

import (
	"regexp"
	"slices"
	"strings"

	"breakfix/internal/tree"
)

// guarded offers to do something on a condition: what the file does in its blocks and its
// statements, where its conditions hold of what stands near. What is not quite right takes a
// second move.
func (g *generator) guarded(put func(Kind, string, float64), beside *node, inner string) {
	bodies := g.bodies(inner)
	for i, c := range append(g.tests(beside), g.asked(beside)...) {
		for k, b := range bodies {
			if i < 16 || k < 4 {
				put(kindGuard, "if "+c+":\n"+inner+b, rare)
			}
		}
	}
	for _, c := range g.asking(beside) {
		for _, jump := range [...]string{"continue", "break", "return"} {
			put(kindGuard, "if "+c+":\n"+inner+jump, rare)
		}
	}
	made := append(g.ofSelf(), g.facts.fillers...)
	for _, m := range g.facts.plainMethods {
		made = append(made, "self."+m+"()")
	}
	raised, returned := g.raisable(), slices.Concat(g.near(beside, nearCalls), constants, g.ofSelf(), g.facts.fillers)
	for _, a := range g.near(beside, 4) {
		for _, test := range [...]string{a + " is None", "not " + a, a} {
			for _, e := range made {
				if test != a {
					put(kindGuard, "if "+test+":\n"+inner+a+" = "+e, rare)
				}
			}
			for _, e := range raised {
				put(kindGuard, "if "+test+":\n"+inner+"raise "+e, rare)
			}
			for _, e := range returned {
				put(kindGuard, "if "+test+":\n"+inner+"return "+e, rare)
			}
		}
	}
}

// raisable lists the exceptions that the file defines or imports, as their names tell.
func (g *generator) raisable() []string {
	var out []string
	for _, name := range g.facts.scope {
		if !builtins[name] && len(out) < 8 && exceptional.MatchString(name) {
			out = append(out, name)
		}
	}
	return out
}

// exceptional is how names of exceptions end.
var exceptional = regexp.MustCompile(`^[A-Z]\w*(Error|Exception|Interrupted|Exit|Timeout|Abort|Stop|Failure)$`)

// bodies lists what the file does on a condition or as a statement, and the function can:
// blocks first.
func (g *generator) bodies(indent string) []string {
	seen := map[string]bool{}
	var out []string
	g.root.walk(func(n *node) bool {
		if n.kind == "block" && n.last-n.row < 5 && len(out) < bodiesMost && g.usable(n) == 1 {
			switch n.parent.kind {
			case "if_statement", "elif_clause", "else_clause":
				add(&out, seen, reindent(n.text(g.src), indentAt(g.src, n.start), indent))
			}
		}
		return true
	})
	for _, own := range [...]bool{true, false} {
		for _, s := range g.facts.simple {
			if len(out) < 2*bodiesMost && g.facts.own(s) == own && s.last == s.row && g.usable(s) == 1 {
				add(&out, seen, s.text(g.src))
			}
		}
	}
	return out
}

// splatted offers what the function has, spread out as further arguments of a call, and
// under the keywords of the file.
func (g *generator) splatted(n, args *node) {
	ps := args.parts()
	if !g.core(args.row, args.last) || len(ps) == 0 {
		return
	}
	last := ps[len(ps)-1]
	put := func(text string) {
		g.emit(kindArgument, args, []tree.Edit{{Start: last.end, End: last.end, New: ", " + text}}, "add "+clip(text), rare)
	}
	for _, name := range g.names1() {
		put("*" + name)
		put("**" + name)
	}
	values, used := slices.Concat(g.near(n, 3), constants), map[string]bool{}
	for _, p := range ps {
		if name := p.child("name"); p.kind == "keyword_argument" && name != nil {
			used[name.text(g.src)] = true
		}
	}
	for i, key := range g.facts.allKeys {
		if i == keysMost {
			break
		}
		if used[key] {
			continue
		}
		for _, v := range values {
			text := key + "=" + v
			put(text)
			for i, p := range ps {
				if p.kind == "keyword_argument" && i < elementsMost {
					g.emit(kindArgument, args, []tree.Edit{{Start: p.start, End: p.start, New: text + ", "}}, "add "+clip(text), rare)
				}
			}
		}
	}
	for _, e := range slices.Concat(g.facts.fillers, constants, g.ofSelf(), builtinTypes, []string{"lambda x: x"}) {
		put(e)
	}
	for _, name := range g.facts.scope {
		if g.facts.inScope[name] > 0 && !builtins[name] && !pythonKeywords[name] {
			text := name + "=" + name
			put(text)
			for i, p := range ps { // one of several
				if p.kind == "keyword_argument" && i < elementsMost {
					g.emit(kindArgument, args, []tree.Edit{{Start: p.start, End: p.start, New: text + ", "}}, "add "+clip(text), rare)
				}
			}
		}
	}
}

// otherwise offers the long arms of the file: what its blocks do, in an else.
func (g *generator) otherwise(inner string, put func(string)) {
	for _, b := range g.bodies(inner) {
		if strings.Contains(b, "\n") {
			put(b)
		}
	}
}
