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
	// It is all the same to these.
	"min": true, "max": true, "gcd": true, "lcm": true, "isclose": true, "union": true, "hypot": true, "is_": true, "eq": true, "ne": true, "mul": true, "and_": true, "or_": true, "xor": true,
	"gather": true, "print": true,
}

func argumentSwap(p *pass, n *lang.Node) {
	as := positional(n)
	if name := callee(n); name != nil && argumentsHaveRoles[p.text(name)] {
		return
	}
	for i := 0; i+1 < len(as) && i < 2; i++ {
		if !p.kind(as[i]).Goes(p.kind(as[i+1])) || (p.kind(as[i]) == python.Callable) != (p.kind(as[i+1]) == python.Callable) && p.kind(as[i]) != python.Unknown && p.kind(as[i+1]) != python.Unknown {
			continue
		}
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
		if v := all[i].Child("value"); all[i].Is("none") || v.Is("none") {
			return // most defaults are that
		}
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

// alike reports whether the exchange hardly ever shows: it matters for what is
// rare, or when something is not there. The other way round it repairs.
func (p *pass) alike(call *lang.Node, from, to string) bool {
	as := positional(call)
	switch from + "/" + to {
	case "lower/casefold", "casefold/lower", "get/setdefault", "remove/discard", "isinstance/issubclass", "issubclass/isinstance":
		return true
	case "split/rsplit", "rsplit/split":
		return len(call.Child("arguments").NamedChildren()) < 2 // no limit: the same list
	case "str/repr", "repr/str":
		return len(as) != 1 || p.kind(as[0]) != python.Text && p.kind(as[0]) != python.Unknown
	case "pop/popleft", "popleft/pop":
		return len(as) > 0
	}
	return false
}

func siblingUndo(p *pass, n *lang.Node) {
	name := callee(n)
	if name == nil || !n.Child("arguments").Is("argument_list") {
		return
	}
	own := p.text(name)
	for _, to := range siblings[own] {
		if p.alike(n, own, to) && (name.Field == "attribute" || builtinFunction(to)) {
			p.replace(name, own+" → "+to, to)
		}
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
	if !n.Child("arguments").Is("argument_list") {
		return
	}
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
		if count < 2 && !p.alike(n, own, to) {
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

// wrongAttribute offers another attribute of the same object: one that its class
// binds, or that is used on it in the same class (of self) or function. Methods
// and data are not mixed, nor kinds that are known to differ.
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
	members := map[string]python.Kind{}
	if class := p.kinds.ClassOf(object); class != nil {
		members = p.kinds.Members(class)
		for a, kind := range members {
			seen[a] = (kind == python.Callable) == called(n) && !strings.HasPrefix(a, "__")
		}
	}
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
		if ok && a != own && (called(n) || members[a].Goes(members[own]) && (members[a] == python.Callable) == (members[own] == python.Callable)) {
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
