package bug

import (
	"bytes"
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
)

// assertions are unittest's methods as plain asserts, %a and %b for arguments.
var assertions = map[string]string{
	"assertEqual": "assert %a == %b", "assertEquals": "assert %a == %b", "assertNotEqual": "assert %a != %b",
	"assertTrue": "assert %a", "assertFalse": "assert not %a", "assertIs": "assert %a is %b", "assertIsNot": "assert %a is not %b",
	"assertIsNone": "assert %a is None", "assertIsNotNone": "assert %a is not None", "assertIn": "assert %a in %b",
	"assertNotIn": "assert %a not in %b", "assertLess": "assert %a < %b", "assertLessEqual": "assert %a <= %b",
	"assertGreater": "assert %a > %b", "assertGreaterEqual": "assert %a >= %b", "assertIsInstance": "assert isinstance(%a, %b)",
	"assertListEqual": "assert %a == %b", "assertDictEqual": "assert %a == %b", "assertTupleEqual": "assert %a == %b",
	"assertSetEqual": "assert %a == %b", "assertSequenceEqual": "assert %a == %b", "assertMultiLineEqual": "assert %a == %b",
}

var atom = map[string]bool{"identifier": true, "call": true, "attribute": true, "subscript": true, "integer": true, "float": true,
	"string": true, "list": true, "dictionary": true, "set": true, "tuple": true, "parenthesized_expression": true,
	"none": true, "true": true, "false": true, "list_comprehension": true, "concatenated_string": false}

// plain returns a method of a class as a plain function: assertions of self as
// asserts, what the class or its setUp binds in place of self's attributes, and, when
// nothing of the class is left, without it; nil when that cannot be.
func (v *variant) plain() *variant {
	m, ok := parse(v.src)
	if !ok {
		return nil
	}
	defer m.Close()
	classes, fn := m.locate(v.id)
	if fn == nil && len(classes) == 1 {
		fn = m.inherits(classes[0], v.id.fn, 0)
	}
	if fn == nil || len(classes) != 1 || fn.Kind() == "decorated_definition" {
		return nil
	}
	values := m.classValues(classes[0])
	body := definition(fn).ChildByFieldName("body")
	cuts := []cut{}
	if set := m.setUp(classes[0]); set != nil {
		m.ownValues(set, values)
		m.ownValues(body, values)
		text, ok := shifted(m.replaced(set, func(n *sitter.Node) (string, bool) { return m.selfValue(n, values) }), int(set.StartPosition().Column), int(body.StartPosition().Column))
		if !ok {
			return nil
		}
		cuts = append(cuts, cut{start: int(body.StartByte()), end: int(body.StartByte()), with: text + "\n" + strings.Repeat(" ", int(body.StartPosition().Column))})
	}
	walk(body, func(n *sitter.Node) bool {
		if m.method(n) {
			return false
		}
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
	src, at, ok := m.without(cuts, v.at)
	if !ok {
		return nil
	}
	return lift(v.dir, src, v.id, at)
}

// setUp returns the body of what a class does before each test.
func (m *module) setUp(class *sitter.Node) *sitter.Node {
	for _, name := range []string{"setUp", "setup_method"} {
		if s := m.find(definition(class).ChildByFieldName("body"), name); s != nil && s.Kind() == "function_definition" {
			if b := s.ChildByFieldName("body"); b.StartPosition().Row != s.StartPosition().Row {
				return b
			}
		}
	}
	return nil
}

// ownValues adds the attributes that statements assign to self as names of their own.
func (m *module) ownValues(body *sitter.Node, values map[string]string) {
	walk(body, func(n *sitter.Node) bool {
		if n.Kind() == "assignment" {
			if l := n.ChildByFieldName("left"); l.Kind() == "attribute" && m.text(l.ChildByFieldName("object")) == "self" {
				name := m.text(l.ChildByFieldName("attribute"))
				values[name] = name
			}
		}
		return !m.method(n)
	})
}

// replaced returns the text of a node with parts of it replaced, but for methods
// of classes in it.
func (m *module) replaced(n *sitter.Node, with func(*sitter.Node) (string, bool)) string {
	out, at := "", n.StartByte()
	walk(n, func(c *sitter.Node) bool {
		if m.method(c) {
			return false
		}
		text, ok := with(c)
		if ok {
			out += string(m.src[at:c.StartByte()]) + text
			at = c.EndByte()
		}
		return !ok
	})
	return out + string(m.src[at:n.EndByte()])
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
		text := m.replaced(a, func(n *sitter.Node) (string, bool) { return m.selfValue(n, values) })
		if !atom[a.Kind()] {
			text = "(" + text + ")"
		}
		texts[i] = text
	}
	return strings.NewReplacer("%a", texts[0], "%b", texts[len(texts)-1]).Replace(form), true
}

// method tells whether a function has a self of its own.
func (m *module) method(n *sitter.Node) bool {
	if n.Kind() != "function_definition" {
		return false
	}
	ps := statements(n.ChildByFieldName("parameters"))
	return len(ps) > 0 && m.text(ps[0]) == "self"
}

// mentionsSelf tells whether a body mentions self, but for methods of classes in it.
func (m *module) mentionsSelf(body *sitter.Node) bool {
	found := false
	walk(body, func(n *sitter.Node) bool {
		if m.method(n) {
			return false
		}
		found = found || n.Kind() == "identifier" && m.text(n) == "self"
		return !found
	})
	return found
}

// lift moves a method that does not need its class to the module.
func lift(dir string, src []byte, id testID, at marks) *variant {
	m, ok := parse(src)
	if !ok {
		return nil
	}
	defer m.Close()
	classes, fn := m.locate(id)
	if len(classes) != 1 {
		return nil
	}
	if fn == nil {
		fn = m.inherits(classes[0], id.fn, 0)
	}
	if fn == nil || definition(fn) == nil || fn.Kind() == "decorated_definition" {
		return nil
	}
	d := definition(fn)
	params := d.ChildByFieldName("parameters")
	ps := statements(params)
	inside := m.text(d.ChildByFieldName("body"))
	if len(ps) == 0 || m.text(ps[0]) != "self" || m.mentionsSelf(d.ChildByFieldName("body")) || strings.Contains(inside, "super()") {
		return nil
	}
	text, ok := dedent(m.text(fn), int(fn.StartPosition().Column))
	if !ok {
		return nil
	}
	rest := ""
	if len(ps) > 1 {
		rest = string(m.src[ps[1].StartByte() : params.EndByte()-1])
	}
	head := int(params.StartByte() - fn.StartByte())
	text = text[:head] + "(" + rest + ")" + text[head+len(m.text(params)):]
	// The class goes; so does the base class of this file that the method came from,
	// by pruning.
	gone := []cut{m.cutStatement(classes[0])}
	without, ok := m.apply(gone)
	if !ok {
		return nil
	}
	first := int(fn.StartPosition().Row) + 1
	last := int(fn.EndPosition().Row) + 1
	top := bytes.TrimRight(without, "\n")
	for i, line := range at {
		switch {
		case line == 0:
		case first <= line && line <= last:
			at[i] = bytes.Count(top, newline) + 4 + line - first
		default:
			_, now, ok := m.without(gone, marks{line})
			if at[i] = now[0]; !ok {
				at[i] = 0
			}
		}
	}
	out := append(top, []byte("\n\n\n"+text+"\n")...)
	again, ok := parse(out)
	if !ok {
		return nil
	}
	again.Close()
	return newVariant(dir, out, testID{path: id.path, fn: id.fn}, at)
}
