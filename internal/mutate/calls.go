package mutate

import (
	"sort"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// argumentsHaveRoles: calls whose arguments are so unlike each other that
// exchanging them is only a TypeError.
var argumentsHaveRoles = map[string]bool{
	"isinstance": true, "issubclass": true, "hasattr": true, "getattr": true, "setattr": true, "delattr": true, "super": true, "type": true,
	"map": true, "filter": true, "reduce": true, "sorted": true, "open": true, "partial": true, "enumerate": true, "TypeVar": true, "namedtuple": true,
	"update_wrapper": true,
}

func argumentSwap(p *pass, n *lang.Node) {
	as := positional(n)
	if name := callee(n); name != nil && argumentsHaveRoles[p.text(name)] {
		return
	}
	for i := 0; i+1 < len(as) && i < 2; i++ {
		if as[i].Is("lambda") != as[i+1].Is("lambda") || as[i].Is("conditional_expression", "generator_expression", "named_expression") || as[i+1].Is("conditional_expression", "generator_expression", "named_expression") {
			continue
		}
		p.swap(n, "swap "+p.text(as[i])+" and "+p.text(as[i+1]), as[i], as[i+1])
	}
}

func argumentDrop(p *pass, n *lang.Node) {
	args := n.Child("arguments")
	if !args.Is("argument_list") {
		return
	}
	all := args.NamedChildren()
	if len(all) < 2 {
		return
	}
	drop := func(i int) {
		p.offer(n, "drop "+p.text(all[i]), tree.Edit{Start: all[i-1].End, End: all[i].End})
	}
	count := 0
	for i, a := range all {
		if i > 0 && a.Is("keyword_argument", "dictionary_splat", "list_splat") && p.text(a.Child("name")) != "stacklevel" && count < 2 {
			drop(i)
			count++
		}
	}
	if name := callee(n); name != nil && argumentsHaveRoles[p.text(name)] {
		return
	}
	if last := len(all) - 1; count == 0 && !all[last].Is("keyword_argument") {
		drop(last)
	}
}

// siblings are functions that are called in the same way and do the opposite
// or nearly the same. Each pair works in both directions.
var siblings = map[string][]string{}

func init() {
	for _, pair := range strings.Fields(`min/max any/all startswith/endswith lstrip/rstrip strip/lstrip strip/rstrip find/rfind index/rindex split/rsplit
		partition/rpartition upper/lower capitalize/title ljust/rjust popleft/pop appendleft/append extendleft/extend append/extend union/intersection
		issubset/issuperset bisect_left/bisect_right insort_left/insort_right keys/values sorted/reversed add/discard remove/discard nlargest/nsmallest
		floor/ceil isdigit/isalpha isupper/islower removeprefix/removesuffix first/last zip/zip_longest takewhile/dropwhile
		next/prev get/pop getattr/hasattr isinstance/issubclass str/repr sum/max read/readline items/keys push/append left/right
		lower/casefold setdefault/get update/add chain/zip head/tail intersection/difference load/loads dump/dumps
		__getitem__/__contains__ __setitem__/__delitem__ values/items sub/subn match/search search/fullmatch`) {
		a, b, _ := strings.Cut(pair, "/")
		siblings[a] = append(siblings[a], b)
		siblings[b] = append(siblings[b], a)
	}
	for name, others := range siblings {
		sort.Strings(others)
		siblings[name] = others
	}
}

// onlyMethods are siblings that are also the names of quite other functions.
var onlyMethods = map[string]bool{"get": true, "pop": true, "index": true, "keys": true, "values": true, "items": true, "add": true, "update": true, "next": true}

func siblingFunction(p *pass, n *lang.Node) {
	name := callee(n)
	if name == nil {
		return
	}
	own := p.text(name)
	if onlyMethods[own] && name.Field != "attribute" {
		if own != "next" {
			return
		}
	}
	count := 0
	for _, to := range siblings[own] {
		if name.Field != "attribute" && !builtinFunction(to) && !p.known(to, n) || own == "next" && name.Field != "attribute" {
			continue
		}
		if count < 2 {
			p.replace(name, own+" → "+to, to)
			count++
		}
	}
}

func builtinFunction(s string) bool {
	switch s {
	case "min", "max", "any", "all", "sorted", "reversed", "sum", "str", "repr", "isinstance", "issubclass", "getattr", "hasattr", "zip":
		return true
	}
	return false
}

func (p *pass) known(name string, at *lang.Node) bool {
	for _, b := range p.a.Names(at.Start) {
		if b.Name == name {
			return true
		}
	}
	return false
}

// wrongAttribute offers another attribute of the same object that is used in
// the same class (of self) or function. Methods and data are not mixed.
func wrongAttribute(p *pass, n *lang.Node) {
	object, name := n.Child("object"), n.Child("attribute")
	if !object.Is("identifier") || strings.HasPrefix(p.text(name), "__") && strings.HasSuffix(p.text(name), "__") {
		return
	}
	around := p.a.FunctionAt(n.Start)
	if on := p.text(object); on == "self" || on == "cls" {
		around = p.a.ClassAt(n.Start)
	}
	if around == nil {
		return
	}
	called := func(x *lang.Node) bool { return x.Parent.Is("call") && x.Field == "function" }
	seen := map[string]bool{}
	around.Node.Walk(func(x *lang.Node) bool {
		if x.Is("attribute") && p.text(x.Child("object")) == p.text(object) && called(x) == called(n) {
			a := p.text(x.Child("attribute"))
			seen[a] = !(strings.HasPrefix(a, "__") && strings.HasSuffix(a, "__"))
		}
		return true
	})
	own := p.text(name)
	var others []string
	for a, ok := range seen {
		if ok && a != own {
			others = append(others, a)
		}
	}
	sort.Slice(others, func(i, j int) bool {
		si, sj := similarity(own, others[i]), similarity(own, others[j])
		if si != sj {
			return si > sj
		}
		return others[i] < others[j]
	})
	for i, a := range others {
		if i == 2 {
			break
		}
		if q := n.Parent; q.Is("assignment") && (n.Field == "right" && p.text(q.Child("left")) == p.text(object)+"."+a || n.Field == "left" && p.text(q.Child("right")) == p.text(object)+"."+a) {
			continue // x.a = x.a
		}
		p.rename(name, own+" → "+a, a)
	}
}

func decoratorRemoval(p *pass, n *lang.Node) {
	text := strings.TrimPrefix(p.text(n), "@")
	last := text
	if i := strings.IndexByte(last, '('); i >= 0 {
		last = last[:i]
	}
	switch last[strings.LastIndexByte(last, '.')+1:] {
	case "override", "final", "abstractmethod", "no_type_check", "deprecated", "setter", "deleter", "getter", "unique", "total_ordering":
		return // nothing that runs changes, or the class does not load
	}
	first, lastLine := p.f.Line(n.Start), p.f.LastLine(n.Start, n.End)
	start, end := p.f.Span(first, lastLine)
	p.offer(n, "drop @"+text, tree.Edit{Start: start, End: end})
}

// unwrap returns the edits that replace a with statement by its body, with
// lead (a statement, or "") in front. It is false when the body cannot be
// moved to the left.
func (p *pass) unwrap(n *lang.Node, lead string) (tree.Edit, bool) {
	body := n.Child("body")
	if body == nil || n.Parent == nil || n.Children[0].Is("async") {
		return tree.Edit{}, false
	}
	ss := python.Statements(p.f, body)
	whole := python.NewStatement(p.f, n)
	if len(ss) == 0 || !whole.OwnLines || ss[0].FirstLine == whole.FirstLine {
		return tree.Edit{}, false
	}
	// Comments between the header and the first statement move along.
	first := ss[0].FirstLine
	for first > whole.FirstLine+1 && strings.HasPrefix(strings.TrimSpace(p.line(first-1)), "#") {
		first--
	}
	indent := python.Indent(p.f, n.Start)
	text, ok := python.Dedent(p.f, first, whole.LastLine, python.Indent(p.f, ss[0].Start), indent)
	if !ok {
		return tree.Edit{}, false
	}
	if lead != "" {
		text = indent + lead + python.Newline(p.f) + text
	}
	start, end := p.f.Span(whole.FirstLine, whole.LastLine)
	return tree.Edit{Start: start, End: end, New: text}, true
}

func (p *pass) line(n int) string {
	start, end := p.f.Span(n, n)
	return string(p.f.Source[start:end])
}

// withItems returns the values of a with statement and their "as" targets.
func withItems(n *lang.Node) (values, targets []*lang.Node) {
	clause := n.First("with_clause")
	if clause == nil {
		return nil, nil
	}
	clause.Walk(func(c *lang.Node) bool {
		if !c.Is("with_item") {
			return true
		}
		v := c.Child("value")
		var target *lang.Node
		if v.Is("as_pattern") {
			target = v.Child("alias")
			v = v.NamedChildren()[0]
		}
		values, targets = append(values, v), append(targets, target)
		return false
	})
	return values, targets
}

func withRemoval(p *pass, n *lang.Node) {
	values, targets := withItems(n)
	if len(values) != 1 || p.lockLike(values[0]) {
		return
	}
	lead := p.text(values[0])
	if targets[0] != nil {
		lead = p.text(targets[0]) + " = " + lead
	}
	if !values[0].Is("call") && targets[0] == nil {
		lead = ""
	}
	if e, ok := p.unwrap(n, lead); ok {
		p.offer(n, "drop with "+p.text(values[0]), e)
	}
}

func finallyRemoval(p *pass, n *lang.Node) {
	ss := bodyOf(p, n)
	if len(ss) == 0 || len(ss) == 1 && ss[0].Node.Is("pass_statement") {
		return
	}
	if len(ss) == 1 && ss[0].Node.Is("with_statement") {
		return // its own operators are finer
	}
	p.offer(n, "empty finally", tree.Edit{Start: ss[0].Start, End: ss[len(ss)-1].End, New: "pass"})
}

func isClose(p *pass, call *lang.Node) bool {
	name := callee(call)
	if name == nil || name.Field != "attribute" {
		return false
	}
	switch p.text(name) {
	case "close", "cleanup", "shutdown", "stop", "flush", "join", "terminate", "unlink", "restore", "reset", "disconnect", "dispose", "__exit__", "cancel":
		return len(positional(call)) == 0
	}
	return false
}

func closeRemoval(p *pass, n *lang.Node) {
	cs := n.NamedChildren()
	if len(cs) != 1 {
		return
	}
	c := cs[0]
	if c.Is("await") && len(c.NamedChildren()) == 1 {
		c = c.NamedChildren()[0]
	}
	if c.Is("call") && isClose(p, c) {
		p.remove(n, "delete "+p.text(callee(c)))
	}
}
