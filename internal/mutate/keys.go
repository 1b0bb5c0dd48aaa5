package mutate

import (
	"sort"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// stringKeys are the texts of the string keys in a function, or in the file
// when it has no other, sorted.
func (p *pass) stringKeys(around *lang.Node) []string {
	seen := map[string]bool{}
	around.Walk(func(n *lang.Node) bool {
		switch {
		case n.Is("subscript"):
			for _, s := range n.ChildrenOf("subscript") {
				if s.Is("string") {
					seen[p.text(s)] = true
				}
			}
		case n.Is("pair") && n.Child("key").Is("string"):
			seen[p.text(n.Child("key"))] = true
		}
		return true
	})
	var keys []string
	for k := range seen {
		if !strings.Contains(k, "{") {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}

func keySwap(p *pass, n *lang.Node) {
	ss := n.ChildrenOf("subscript")
	if len(ss) != 1 || !ss[0].Is("string") {
		return
	}
	around := p.f.Root
	if s := p.a.ScopeAt(n.Start); s.Function {
		around = s.Node
	}
	keys := p.stringKeys(around)
	if len(keys) < 2 {
		keys = p.stringKeys(p.f.Root)
	}
	own := p.text(ss[0])
	sort.SliceStable(keys, func(i, j int) bool { return similarity(own, keys[i]) > similarity(own, keys[j]) })
	count := 0
	for _, k := range keys {
		if k != own && count < 2 {
			p.replace(ss[0], own+" → "+k, k)
			count++
		}
	}
}

func keywordSwap(p *pass, n *lang.Node) {
	var prev *lang.Node
	count := 0
	for _, a := range n.NamedChildren() {
		if !a.Is("keyword_argument") {
			prev = nil
			continue
		}
		if prev != nil && count < 2 && p.text(prev.Child("value")) != p.text(a.Child("value")) {
			p.swap(n, "swap keywords "+p.text(prev.Child("name"))+" and "+p.text(a.Child("name")), prev.Child("name"), a.Child("name"))
			count++
		}
		prev = a
	}
}

func pairSwap(p *pass, n *lang.Node) {
	es := n.NamedChildren()
	for i := 0; i+1 < len(es) && i < 2; i++ {
		a, b := es[i], es[i+1]
		if a.Is("pair") && b.Is("pair") && p.text(a.Child("value")) != p.text(b.Child("value")) {
			p.swap(n, "swap the values of "+p.text(a.Child("key"))+" and "+p.text(b.Child("key")), a.Child("value"), b.Child("value"))
		}
	}
}

func orDefaultDrop(p *pass, n *lang.Node) {
	if n.Child("operator").Kind == "or" && !n.Child("right").Is("none") && !decides(n) && !isTest(n.Child("left")) && !n.Parent.Is("boolean_operator") {
		p.replace(n, "drop or "+p.text(n.Child("right")), p.text(n.Child("left")))
	}
}

func callDefaultDrop(p *pass, n *lang.Node) {
	as := positional(n)
	args := n.Child("arguments")
	if !args.Is("argument_list") || len(args.NamedChildren()) != len(as) {
		return
	}
	name := callee(n)
	switch p.text(name) {
	case "get", "pop":
		if len(as) == 2 && name.Field == "attribute" && !(p.text(name) == "get" && as[1].Is("none")) { // get gives None anyway
			p.offer(n, "drop the default "+p.text(as[1]), tree.Edit{Start: as[0].End, End: as[1].End})
		}
	case "getattr":
		if len(as) == 3 {
			p.offer(n, "drop the default "+p.text(as[2]), tree.Edit{Start: as[1].End, End: as[2].End})
		}
	case "next":
		if len(as) == 2 {
			p.offer(n, "drop the default "+p.text(as[1]), tree.Edit{Start: as[0].End, End: as[1].End})
		}
	}
}

// ternaryDefaultDrop: "x if x is not None else y" and its mirror image.
func ternaryDefaultDrop(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 3 || !strings.Contains(p.text(cs[1]), "None") {
		return
	}
	switch {
	case strings.HasPrefix(p.text(cs[1]), p.text(cs[0])+" is not None"):
		p.replace(n, "drop the fallback", p.text(cs[0]))
	case strings.HasPrefix(p.text(cs[1]), p.text(cs[2])+" is None"):
		p.replace(n, "drop the fallback", p.text(cs[2]))
	}
}

// defaultAssignDrop: "if x is None: x = …".
func defaultAssignDrop(p *pass, n *lang.Node) {
	cond, then := n.Child("condition"), n.Child("consequence")
	if n.Child("alternative") != nil || then == nil {
		return
	}
	ss := python.Statements(p.f, then)
	if len(ss) != 1 || !ss[0].Node.Is("expression_statement") {
		return
	}
	as := ss[0].Node.NamedChildren()
	if len(as) != 1 || !as[0].Is("assignment") {
		return
	}
	x := p.text(as[0].Child("left"))
	if c := p.text(cond); c == x+" is None" || c == "not "+x {
		p.remove(n, "drop the default of "+x)
	}
}
