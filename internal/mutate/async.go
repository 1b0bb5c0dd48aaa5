package mutate

import (
	"strings"

	"breakfix/internal/lang"
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
	found := false
	p.f.Root.Walk(func(n *lang.Node) bool {
		found = found || isAsync(n)
		return !found
	})
	return found
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

func danglingTask(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 1 || !cs[0].Is("await") || len(cs[0].NamedChildren()) != 1 {
		return
	}
	call := cs[0].NamedChildren()[0]
	if !call.Is("call") || strings.HasPrefix(p.text(call), "asyncio.") || !p.known("asyncio", n) {
		return
	}
	p.replace(n, "do not wait for the task", "asyncio.create_task("+p.text(call)+")")
}
