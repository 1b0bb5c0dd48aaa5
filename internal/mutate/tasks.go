package mutate

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
)

// starts reports whether a call starts a task.
func (p *pass) starts(n *lang.Node) bool {
	if !n.Is("call") {
		return false
	}
	switch p.text(callee(n)) {
	case "create_task", "ensure_future":
		return true
	}
	return false
}

// keepsTask reports whether a call puts a task that was just started into a
// container.
func (p *pass) keepsTask(c *lang.Node) bool {
	as := positional(c)
	if len(as) != 1 || p.text(callee(c)) != "append" && p.text(callee(c)) != "add" {
		return false
	}
	fn := p.a.FunctionAt(c.Start)
	return p.starts(as[0]) || as[0].Is("identifier") && fn != nil && p.starts(p.kinds.Sole(p.text(as[0]), fn))
}

// unkeptTask: tasks.append(create_task(…)), or of a name that has the task.
func unkeptTask(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 1 {
		return
	}
	switch c := cs[0]; {
	case !c.Is("call") || !p.keepsTask(c):
	case p.starts(positional(c)[0]):
		p.replace(c, "do not keep the task", p.text(positional(c)[0]))
	default:
		p.remove(n, "do not keep the task")
	}
}

// unjoinedTask: nobody waits for what create_task gave.
func unjoinedTask(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 1 || !cs[0].Is("await") || len(cs[0].NamedChildren()) != 1 {
		return
	}
	switch v := cs[0].NamedChildren()[0]; {
	case v.Is("identifier", "attribute") && p.kind(v) == python.Task:
		p.remove(n, "do not join the task")
	case v.Is("call"):
		switch p.asyncioCall(v) {
		case "gather", "wait":
			p.remove(n, "do not join the tasks")
		}
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
