package builtin

import "strings"

func (g *generator) identifier(n *node) {
	switch {
	case n.parent.kind == "attribute" && n.field == "attribute", n.parent.kind == "keyword_argument" && n.field == "name",
		n.parent.kind == "function_definition", n.parent.kind == "class_definition", n.up("import_statement", "import_from_statement", "type") != nil:
		return
	case n.parent.kind == "parameters" || n.parent.kind == "lambda_parameters":
		return
	}
	g.names(n, kindName, 1)
}

// names offers the names in scope in n's place.
func (g *generator) names(n *node, kind Kind, weight float64) {
	text := n.text(g.src)
	callee := n.field == "function"
	for _, name := range g.facts.scope {
		if name == text || name == "_" {
			continue
		}
		uses := g.facts.inScope[name]
		w := 0.05
		if uses > 0 {
			w = 0.3 + 0.1*float64(min(uses, 5))
			for _, row := range g.facts.lastUse[name] {
				if row != n.row && row >= n.row-3 && row <= n.row+3 {
					w += 0.3
					break
				}
			}
		}
		called := len(g.facts.calls[name]) > 0
		if callee != called && !builtins[name] {
			w *= 0.3
		}
		if callee && builtins[name] != builtins[text] {
			w *= 0.3
		}
		if similar(name, text) {
			w *= 2.5
		}
		if pythonKeywords[name] != pythonKeywords[text] {
			w *= 0.3
		}
		g.emit(kind, n, n.replace(name), clip(text)+" → "+name, w*weight*g.hints.said(name))
	}
	if callee {
		for _, s := range siblings[text] {
			g.emit(kind, n, n.replace(s), text+" → "+s, 2*weight)
		}
	}
}

// siblings are functions and methods that are taken for one another.
var siblings = func() map[string][]string {
	m := map[string][]string{}
	for _, family := range []string{"min max", "any all", "startswith endswith", "append extend appendleft", "first last", "keys values items", "sorted reversed list",
		"strip lstrip rstrip", "find rfind", "index rindex", "split rsplit", "partition rpartition", "lower upper", "add remove discard", "ceil floor",
		"isinstance issubclass", "pop popleft", "update setdefault", "is_dir is_file", "abspath realpath", "encode decode", "acquire release",
		"union intersection difference", "log exp", "str repr", "int float", "iter list tuple", "dict list set", "enter exit", "map filter", "next iter",
		"removeprefix removesuffix", "popitem pop clear", "get pop setdefault", "wait notify notify_all", "read write", "head tail", "sum len", "notify notify_all",
		"islice takewhile dropwhile", "ljust rjust", "isdigit isalpha", "__enter__ __exit__", "__getitem__ __setitem__ __delitem__ __contains__"} {
		fs := strings.Fields(family)
		for _, a := range fs {
			for _, b := range fs {
				if a != b && !containsString(m[a], b) {
					m[a] = append(m[a], b)
				}
			}
		}
	}
	return m
}()

func (g *generator) attribute(n *node) {
	object, attr := n.child("object"), n.child("attribute")
	if object == nil || attr == nil {
		return
	}
	text, o := attr.text(g.src), object.text(g.src)
	own := g.facts.receivers[o]
	for _, a := range g.facts.attributes {
		if a == text {
			continue
		}
		w := 0.04
		if containsString(own, a) {
			w = 0.6
		} else if g.facts.modules[o] {
			w = 0.004 // what others have is not in a module
		}
		if containsString(siblings[text], a) {
			w = max(w*2, 1.5)
		}
		if similar(a, text) || strings.Trim(a, "_") == strings.Trim(text, "_") {
			w *= 3
		}
		g.emit(kindAttr, attr, attr.replace(a), text+" → "+a, w*g.hints.said(a))
	}
	for _, a := range siblings[text] {
		if g.facts.attrCount[a] == 0 {
			g.emit(kindAttr, attr, attr.replace(a), text+" → "+a, 0.8)
		}
	}
	g.emit(kindUnwrap, n, n.replace(o), "take off ."+text, 0.15)
	// The same attribute of another receiver of the file.
	for _, name := range g.facts.scope {
		if name != o && object.kind == "attribute" && len(g.facts.receivers[name]) > 0 {
			g.emit(kindName, object, object.replace(name), clip(o)+" → "+name, 0.2)
		}
	}
}

func parseInt(s string) (int, error) {
	v := 0
	neg := strings.HasPrefix(s, "-")
	for _, r := range strings.TrimPrefix(s, "-") {
		if r < '0' || r > '9' || v > 1<<40 {
			return 0, errNotANumber
		}
		v = v*10 + int(r-'0')
	}
	if s == "" || s == "-" {
		return 0, errNotANumber
	}
	if neg {
		v = -v
	}
	return v, nil
}
