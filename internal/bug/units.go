package bug

import (
	"bytes"
	"regexp"
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
)

// units lists what delta debugging may take out of a test file, in the order
// in which it stands there: statements of the module, members of classes,
// statements of every function and nested block, decorators, cases of a
// parametrised test; and compound statements that can be replaced by their
// body. The test itself and the classes around it are not offered.
func (m *module) units(id testID) []cut {
	classes, fn := m.locate(id)
	if fn == nil && len(classes) > 0 {
		fn = m.inherits(classes[len(classes)-1], id.fn, 0)
	}
	keep := map[uintptr]bool{}
	for _, c := range classes {
		keep[c.Id()] = true
	}
	if fn != nil {
		keep[fn.Id()] = true
		for p := fn.Parent(); p != nil; p = p.Parent() {
			keep[p.Id()] = true // a base class of this file
		}
	}
	var out []cut
	walk(m.root, func(n *sitter.Node) bool {
		switch n.Kind() {
		case "module", "block":
			for _, s := range statements(n) {
				if keep[s.Id()] || s.Kind() == "pass_statement" {
					continue
				}
				out = append(out, m.cutStatement(s))
				if c, ok := m.unwrap(s); ok {
					out = append(out, c)
				}
			}
		case "class_definition":
			out = append(out, bases(n)...)
		case "decorator":
			if strings.Contains(m.text(n), "parametrize") {
				out = append(out, m.cases(n)...)
			} else if c := m.cutStatement(n); true {
				c.statement = false
				out = append(out, c)
			}
			return false
		}
		return true
	})
	return out
}

// unwrap replaces a with, for, while or if by its body.
func (m *module) unwrap(s *sitter.Node) (cut, bool) {
	switch s.Kind() {
	case "with_statement", "for_statement", "while_statement", "if_statement":
	default:
		return cut{}, false
	}
	body := s.ChildByFieldName("body")
	if body == nil {
		body = s.ChildByFieldName("consequence")
	}
	if body == nil || body.StartPosition().Row == s.StartPosition().Row {
		return cut{}, false
	}
	lift := int(body.StartPosition().Column) - int(s.StartPosition().Column)
	text, ok := dedent(m.text(body), lift)
	if !ok {
		return cut{}, false
	}
	return cut{start: int(s.StartByte()), end: int(s.EndByte()), with: text}, true
}

// dedent takes n columns from every line but the first. ok is false when a
// line does not have them, as in a string over several lines.
func dedent(text string, n int) (string, bool) {
	lines := strings.Split(text, "\n")
	for i, l := range lines[1:] {
		if strings.TrimSpace(l) == "" {
			lines[i+1] = ""
			continue
		}
		if len(l) < n || strings.TrimSpace(l[:n]) != "" {
			return "", false
		}
		lines[i+1] = l[n:]
	}
	return strings.Join(lines, "\n"), true
}

// bases offers the base classes of a class.
func bases(class *sitter.Node) []cut {
	list := class.ChildByFieldName("superclasses")
	if list == nil {
		return nil
	}
	elements := statements(list)
	if len(elements) == 1 {
		return []cut{{start: int(list.StartByte()), end: int(list.EndByte())}}
	}
	return separated(elements)
}

// separated offers the elements of a list one by one, with the comma behind.
func separated(elements []*sitter.Node) []cut {
	var out []cut
	for i, e := range elements {
		c := cut{start: int(e.StartByte()), end: int(e.EndByte())}
		if i+1 < len(elements) {
			c.end = int(elements[i+1].StartByte())
		}
		out = append(out, c)
	}
	return out
}

// cases offers the elements of the list of a parametrize decorator.
func (m *module) cases(decorator *sitter.Node) []cut {
	var list *sitter.Node
	walk(decorator, func(n *sitter.Node) bool {
		if list == nil && n.Kind() == "argument_list" {
			args := statements(n)
			if len(args) >= 2 && (args[1].Kind() == "list" || args[1].Kind() == "tuple") {
				list = args[1]
			}
			return false
		}
		return true
	})
	if list == nil {
		return nil
	}
	elements := statements(list)
	if len(elements) < 2 {
		return nil
	}
	return separated(elements)
}

// assertions are unittest's methods as plain asserts, %a and %b for arguments.
var assertions = map[string]string{
	"assertEqual": "assert %a == %b", "assertEquals": "assert %a == %b", "assertNotEqual": "assert %a != %b",
	"assertTrue": "assert %a", "assertFalse": "assert not %a", "assertIs": "assert %a is %b", "assertIsNot": "assert %a is not %b",
	"assertIsNone": "assert %a is None", "assertIsNotNone": "assert %a is not None", "assertIn": "assert %a in %b",
	"assertNotIn": "assert %a not in %b", "assertLess": "assert %a < %b", "assertLessEqual": "assert %a <= %b",
	"assertGreater": "assert %a > %b", "assertGreaterEqual": "assert %a >= %b", "assertIsInstance": "assert isinstance(%a, %b)",
	"assertListEqual": "assert %a == %b", "assertDictEqual": "assert %a == %b",
}

var atom = map[string]bool{"identifier": true, "call": true, "attribute": true, "subscript": true, "integer": true, "float": true,
	"string": true, "list": true, "dictionary": true, "set": true, "tuple": true, "parenthesized_expression": true,
	"none": true, "true": true, "false": true, "list_comprehension": true, "concatenated_string": false}

// plain rewrites a unittest method as a plain function: assertions of self as
// asserts, self.NAME by what the class assigns to NAME, and, when nothing of
// the class is left, the function without it. ok is false when nothing changed.
func plain(src []byte, id testID) ([]byte, testID, bool) {
	m, ok := parse(src)
	if !ok {
		return nil, id, false
	}
	defer m.Close()
	classes, fn := m.locate(id)
	if fn == nil && len(classes) == 1 {
		fn = m.inherits(classes[0], id.fn, 0)
	}
	if fn == nil || len(classes) != 1 || definition(fn) == nil || fn.Kind() == "decorated_definition" {
		return nil, id, false
	}
	values := m.classValues(classes[0])
	var cuts []cut
	walk(definition(fn).ChildByFieldName("body"), func(n *sitter.Node) bool {
		if n.Kind() == "expression_statement" && n.NamedChildCount() == 1 {
			if text, ok := m.asAssert(n.NamedChild(0), values); ok {
				cuts = append(cuts, cut{start: int(n.StartByte()), end: int(n.EndByte()), with: text})
				return false
			}
		}
		if v, ok := m.selfValue(n, values); ok {
			cuts = append(cuts, cut{start: int(n.StartByte()), end: int(n.EndByte()), with: v})
			return false
		}
		return true
	})
	out, ok := m.apply(cuts)
	if !ok {
		return nil, id, false
	}
	return lift(out, id)
}

// classValues are the names and attributes that the class binds to names.
func (m *module) classValues(class *sitter.Node) map[string]string {
	values := map[string]string{}
	for _, s := range statements(definition(class).ChildByFieldName("body")) {
		if s.Kind() != "expression_statement" || s.NamedChild(0).Kind() != "assignment" {
			continue
		}
		a := s.NamedChild(0)
		l, r := a.ChildByFieldName("left"), a.ChildByFieldName("right")
		if l != nil && r != nil && l.Kind() == "identifier" && (r.Kind() == "identifier" || r.Kind() == "attribute") {
			values[m.text(l)] = m.text(r)
		}
	}
	return values
}

func (m *module) selfValue(n *sitter.Node, values map[string]string) (string, bool) {
	if n.Kind() != "attribute" || m.text(n.ChildByFieldName("object")) != "self" {
		return "", false
	}
	v, ok := values[m.text(n.ChildByFieldName("attribute"))]
	return v, ok
}

// asAssert turns a call of one of self's assertions into an assert.
func (m *module) asAssert(call *sitter.Node, values map[string]string) (string, bool) {
	if call.Kind() != "call" {
		return "", false
	}
	name, found := strings.CutPrefix(m.text(call.ChildByFieldName("function")), "self.")
	form, known := assertions[name]
	args := call.ChildByFieldName("arguments")
	if !found || !known || args == nil || args.Kind() != "argument_list" {
		return "", false
	}
	want := 1 + strings.Count(form, "%b")
	as := statements(args)
	if len(as) != want {
		return "", false
	}
	texts := make([]string, want)
	for i, a := range as {
		if a.Kind() == "keyword_argument" || a.Kind() == "list_splat" || a.Kind() == "dictionary_splat" {
			return "", false
		}
		var inner []cut
		walk(a, func(n *sitter.Node) bool {
			v, ok := m.selfValue(n, values)
			if ok {
				inner = append(inner, cut{start: int(n.StartByte() - a.StartByte()), end: int(n.EndByte() - a.StartByte()), with: v})
			}
			return !ok
		})
		text := m.text(a)
		for j := len(inner) - 1; j >= 0; j-- {
			text = text[:inner[j].start] + inner[j].with + text[inner[j].end:]
		}
		if !atom[a.Kind()] {
			text = "(" + text + ")"
		}
		texts[i] = text
	}
	return strings.NewReplacer("%a", texts[0], "%b", texts[len(texts)-1]).Replace(form), true
}

var selfWord = regexp.MustCompile(`\bself\b`)

// lift moves a method that does not need its class to the module.
func lift(src []byte, id testID) ([]byte, testID, bool) {
	m, ok := parse(src)
	if !ok {
		return nil, id, false
	}
	defer m.Close()
	classes, fn := m.locate(id)
	if len(classes) != 1 {
		return nil, id, false
	}
	if fn == nil {
		fn = m.inherits(classes[0], id.fn, 0)
	}
	if fn == nil || definition(fn) == nil || fn.Kind() == "decorated_definition" {
		return nil, id, false
	}
	d := definition(fn)
	params := d.ChildByFieldName("parameters")
	ps := statements(params)
	inside := m.text(d.ChildByFieldName("body"))
	if len(ps) == 0 || m.text(ps[0]) != "self" || selfWord.MatchString(inside) || strings.Contains(inside, "super()") {
		return nil, id, false
	}
	text, ok := dedent(m.text(fn), int(fn.StartPosition().Column))
	if !ok {
		return nil, id, false
	}
	rest := ""
	if len(ps) > 1 {
		rest = string(m.src[ps[1].StartByte() : params.EndByte()-1])
	}
	head := int(params.StartByte() - fn.StartByte())
	text = text[:head] + "(" + rest + ")" + text[head+len(m.text(params)):]
	// The class goes; so does the base class of this file that the method came from,
	// by pruning.
	without, ok := m.apply([]cut{m.cutStatement(classes[0])})
	if !ok {
		return nil, id, false
	}
	out := append(bytes.TrimRight(without, "\n"), []byte("\n\n\n"+text+"\n")...)
	again, ok := parse(out)
	if !ok {
		return nil, id, false
	}
	again.Close()
	return out, testID{path: id.path, fn: id.fn}, true
}
