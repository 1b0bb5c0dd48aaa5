package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

func isAsync(fn *lang.Node) bool { return fn.Is("function_definition") && fn.Children[0].Is("async") }

// inAsync reports whether n is directly in an async function.
func inAsync(n *lang.Node) bool {
	return isAsync(n.Ancestor("function_definition", "lambda"))
}

func awaitDrop(p *pass, n *lang.Node) {
	if cs := n.NamedChildren(); len(cs) == 1 {
		p.replace(n, "drop await", p.text(cs[0]))
	}
}

// awaitAdd is the way back: a call, in an async function, of what the file
// defines as async or awaits elsewhere.
func awaitAdd(p *pass, n *lang.Node) {
	if n.Parent.Is("await", "attribute") || !inAsync(n) || !n.Parent.Is("expression_statement", "assignment", "return_statement", "argument_list") {
		return
	}
	name := callee(n)
	if name == nil || !p.awaitable(p.text(name)) {
		return
	}
	if n.Parent.Is("argument_list") {
		switch last := callee(n.Parent.Parent); p.text(last) {
		case "create_task", "gather", "ensure_future", "wait_for", "wait", "run", "shield", "run_until_complete", "start_soon":
			return
		}
	}
	p.offer(n, "await "+p.text(name), tree.Edit{Start: n.Start, End: n.Start, New: "await "})
}

func (p *pass) awaitable(name string) bool {
	found := false
	p.f.Root.Walk(func(n *lang.Node) bool {
		switch {
		case found:
			return false
		case isAsync(n) && p.text(n.Child("name")) == name:
			found = true
		case n.Is("await") && len(n.NamedChildren()) == 1 && n.NamedChildren()[0].Is("call"):
			if c := callee(n.NamedChildren()[0]); c != nil && p.text(c) == name {
				found = true
			}
		}
		return !found
	})
	return found
}

// asyncDef offers an async function that becomes synchronous where nothing in
// it waits, and a synchronous one that becomes async in a file that is async
// already: its caller gets the future itself.
func asyncDef(p *pass, n *lang.Node) {
	first := n.Children[0]
	if isAsync(n) {
		if !waits(n) {
			p.offer(n.Child("name"), "async def → def", tree.Edit{Start: first.Start, End: first.Next().Start})
		}
		return
	}
	name := p.text(n.Child("name"))
	if strings.HasPrefix(name, "__") || n.Parent.Is("decorated_definition") || generates(n) || !p.hasAsync() {
		return
	}
	p.offer(n.Child("name"), "def → async def", tree.Edit{Start: first.Start, End: first.Start, New: "async "})
}

func (p *pass) hasAsync() bool {
	if p.isAsync == nil {
		found := false
		p.f.Root.Walk(func(n *lang.Node) bool {
			found = found || isAsync(n)
			return !found
		})
		p.isAsync = &found
	}
	return *p.isAsync
}

// waits: what is only allowed in an async function is in fn itself.
func waits(fn *lang.Node) bool { return holds(fn, "await", "async") }

func generates(fn *lang.Node) bool { return holds(fn, "yield") }

func holds(fn *lang.Node, kinds ...string) bool {
	found := false
	body := fn.Child("body")
	if body == nil {
		return false
	}
	body.Walk(func(n *lang.Node) bool {
		if n.Is("function_definition", "lambda", "class_definition") {
			return false
		}
		found = found || n.Is(kinds...)
		return !found
	})
	return found
}

func asyncClause(p *pass, n *lang.Node) {
	if first := n.Children[0]; first.Is("async") {
		p.offer(n, "drop async", tree.Edit{Start: first.Start, End: first.Next().Start})
	}
}

var compositions = map[string]string{
	"FIRST_COMPLETED": "ALL_COMPLETED", "ALL_COMPLETED": "FIRST_COMPLETED", "FIRST_EXCEPTION": "ALL_COMPLETED",
}

func composition(p *pass, n *lang.Node) {
	name := n.Child("attribute")
	if to := compositions[p.text(name)]; to != "" {
		p.replace(name, p.text(name)+" → "+to, to)
	}
}

func gatherKeyword(p *pass, n *lang.Node) {
	if p.text(n.Child("name")) != "return_exceptions" {
		return
	}
	v := n.Child("value")
	if to := map[string]string{"true": "False", "false": "True"}[v.Kind]; to != "" {
		p.replace(v, "return_exceptions="+to, to)
	}
}

// asyncioCall is the last name of a call of asyncio, "" for others.
func (p *pass) asyncioCall(n *lang.Node) string {
	if !n.Is("call") {
		return ""
	}
	fn := n.Child("function")
	switch {
	case fn.Is("attribute") && p.text(fn.Child("object")) == "asyncio":
		return p.text(fn.Child("attribute"))
	case fn.Is("identifier") && p.imported()[p.text(fn)]:
		return p.text(fn)
	}
	return ""
}

// imported returns what the file imports by name from asyncio.
func (p *pass) imported() map[string]bool {
	if p.asyncio == nil {
		p.asyncio = map[string]bool{}
		for _, im := range p.a.Imports() {
			for _, name := range im.Names {
				p.asyncio[name] = p.asyncio[name] || im.Module == "asyncio"
			}
		}
	}
	return p.asyncio
}

// gatherCall changes what several awaitables are waited for: gather settles all
// where it did not, takes them in the order of the source one by one, or wait
// returns with the first.
func gatherCall(p *pass, n *lang.Node) {
	args := n.Child("arguments")
	if !args.Is("argument_list") {
		return
	}
	has := func(name string) bool {
		for _, a := range args.NamedChildren() {
			if a.Is("keyword_argument") && p.text(a.Child("name")) == name {
				return true
			}
		}
		return false
	}
	all := args.NamedChildren()
	if len(all) == 0 {
		return
	}
	end := all[len(all)-1].End
	switch p.asyncioCall(n) {
	case "gather":
		if !has("return_exceptions") {
			p.offer(n, "settle all", tree.Edit{Start: end, End: end, New: ", return_exceptions=True"})
		}
		as := positional(n)
		if n.Parent.Is("await") && len(as) > 1 && len(as) == len(all) {
			var one []string
			for _, a := range as {
				if !a.Is("call") {
					return // a task runs already
				}
				one = append(one, "await "+p.text(a))
			}
			p.replace(n.Parent, "one after the other", "["+strings.Join(one, ", ")+"]")
		}
	case "wait":
		if !has("return_when") {
			p.offer(n, "first wins", tree.Edit{Start: end, End: end, New: ", return_when=asyncio.FIRST_COMPLETED"})
		}
	case "as_completed":
		if as := positional(n); len(as) == 1 && len(all) == 1 {
			p.replace(n, "in the order of the source", p.text(as[0]))
		}
	}
}

// shieldDrop lets a cancellation through to what was kept from it.
func shieldDrop(p *pass, n *lang.Node) {
	if as := positional(n); p.asyncioCall(n) == "shield" && len(as) == 1 {
		p.replace(n, "drop shield", p.text(as[0]))
	}
}

// together runs two awaited calls at the same time that came one after the
// other, where the second does not need the result of the first.
func together(p *pass, block *lang.Node) {
	if !p.known("asyncio", block) {
		return
	}
	ss := python.Statements(p.f, block)
	for i := 0; i+1 < len(ss); i++ {
		a, b := ss[i], ss[i+1]
		ta, ca := awaitedCall(a.Node)
		tb, cb := awaitedCall(b.Node)
		if ca == nil || cb == nil || !a.OwnLines || !b.OwnLines || (ta == nil) != (tb == nil) || p.f.Line(b.Start) != a.LastLine+1 {
			continue
		}
		gather := "await asyncio.gather(" + p.text(ca) + ", " + p.text(cb) + ")"
		if ta != nil {
			if !ta.Is("identifier") || !tb.Is("identifier") || p.mentions(cb, p.text(ta)) {
				continue
			}
			gather = p.text(ta) + ", " + p.text(tb) + " = " + gather
		}
		p.offer(a.Node, "both at once", tree.Edit{Start: a.Start, End: b.End, New: gather})
	}
}

// awaitedCall takes "await f()" and "x = await f()" apart.
func awaitedCall(s *lang.Node) (target, call *lang.Node) {
	cs := s.NamedChildren()
	if !s.Is("expression_statement") || len(cs) != 1 {
		return nil, nil
	}
	n := cs[0]
	if n.Is("assignment") {
		target, n = n.Child("left"), n.Child("right")
	}
	if c, waits := awaited(n); waits && c != nil {
		return target, c
	}
	return nil, nil
}

func (p *pass) mentions(n *lang.Node, name string) bool {
	found := false
	n.Walk(func(c *lang.Node) bool {
		found = found || c.Is("identifier") && p.text(c) == name
		return !found
	})
	return found
}
