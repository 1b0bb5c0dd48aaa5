package bug

import (
	"bytes"
	"path"
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"

	"breakfix/internal/tree"
)

// maxInline bounds how many files are inlined into one test file.
const maxInline = 4

// inline returns the test's file with the modules put in front from which its
// class inherits the test, so that the test can be read and reduced in one
// file. When nothing is to be inlined, or it cannot be, the file as it is.
func inline(t *tree.Tree, src []byte, id testID) []byte {
	for range maxInline {
		next, ok := inlineOnce(t, src, id)
		if !ok {
			break
		}
		src = next
	}
	return src
}

// inlineOnce replaces one import that provides a base class by the module.
func inlineOnce(t *tree.Tree, src []byte, id testID) ([]byte, bool) {
	m, ok := parse(src)
	if !ok {
		return nil, false
	}
	defer m.Close()
	classes, fn := m.locate(id)
	if fn != nil || len(classes) == 0 {
		return nil, false
	}
	if m.inherits(classes[len(classes)-1], id.fn, 0) != nil {
		return nil, false // it stands in a base class of this file
	}
	bases := map[string]bool{}
	m.baseNames(classes[len(classes)-1], bases, 0)
	for _, s := range statements(m.root) {
		if s.Kind() != "import_from_statement" {
			continue
		}
		names := map[string]bool{}
		m.imported(s, names)
		for name := range names {
			if !bases[name] {
				continue
			}
			p := m.modulePath(t, s, path.Dir(id.path), name)
			if p == "" || p == id.path {
				continue
			}
			other, err := t.Read(p)
			if err != nil {
				continue
			}
			if out, ok := m.splice(s, other, path.Dir(p) == path.Dir(id.path)); ok {
				return out, true
			}
		}
	}
	return nil, false
}

// baseNames adds the names of the base classes of a class of this file, those
// of its bases in this file too.
func (m *module) baseNames(class *sitter.Node, into map[string]bool, depth int) {
	bases := definition(class).ChildByFieldName("superclasses")
	if bases == nil || depth > 8 {
		return
	}
	for _, b := range statements(bases) {
		if b.Kind() != "identifier" {
			continue
		}
		into[m.text(b)] = true
		if s := m.find(m.root, m.text(b)); s != nil && definition(s).Kind() == "class_definition" {
			m.baseNames(s, into, depth+1)
		}
	}
}

// inherits returns the definition of a method in the bases of a class, as far
// as they stand in this file.
func (m *module) inherits(class *sitter.Node, fn string, depth int) *sitter.Node {
	d := definition(class)
	if s := m.find(d.ChildByFieldName("body"), fn); s != nil {
		return s
	}
	bases := d.ChildByFieldName("superclasses")
	if bases == nil || depth > 8 {
		return nil
	}
	for _, b := range statements(bases) {
		if b.Kind() != "identifier" {
			continue
		}
		if s := m.find(m.root, m.text(b)); s != nil && definition(s).Kind() == "class_definition" {
			if f := m.inherits(s, fn, depth+1); f != nil {
				return f
			}
		}
	}
	return nil
}

// modulePath finds the file in the tree that an import statement reads, ""
// when it is none of the tree's.
func (m *module) modulePath(t *tree.Tree, s *sitter.Node, dir, name string) string {
	from := m.text(s.ChildByFieldName("module_name"))
	dots := len(from) - len(strings.TrimLeft(from, "."))
	rest := strings.ReplaceAll(strings.TrimLeft(from, "."), ".", "/")
	roots := []string{".", dir}
	if dots > 0 {
		for range dots - 1 {
			dir = path.Dir(dir)
		}
		roots = []string{dir}
	}
	for _, r := range roots {
		for _, p := range []string{path.Join(r, rest) + ".py", path.Join(r, rest, "__init__.py")} {
			if t.Has(p) {
				return p
			}
		}
	}
	return ""
}

// splice puts a module where an import statement of it was. Imports from the
// future move to the top. A module of another folder must not import relatively.
func (m *module) splice(s *sitter.Node, other []byte, sameFolder bool) ([]byte, bool) {
	o, ok := parse(other)
	if !ok {
		return nil, false
	}
	defer o.Close()
	var future []string
	body := func(m *module) ([]byte, bool) {
		var cuts []cut
		for _, st := range statements(m.root) {
			switch {
			case st.Kind() == "future_import_statement":
				future = append(future, m.text(st))
				cuts = append(cuts, m.cutStatement(st))
			case isString(st) && st.StartByte() == statements(m.root)[0].StartByte():
				cuts = append(cuts, m.cutStatement(st))
			case st.Kind() == "import_from_statement" && strings.HasPrefix(m.text(st.ChildByFieldName("module_name")), ".") && !sameFolder && m == o:
				return nil, false
			}
		}
		if m != o {
			cuts = append(cuts, m.cutStatement(s))
		}
		return m.apply(cuts)
	}
	first, ok := body(o)
	if !ok {
		return nil, false
	}
	second, ok := body(m)
	if !ok {
		return nil, false
	}
	var out bytes.Buffer
	for _, f := range future {
		out.WriteString(f + "\n")
	}
	out.Write(first)
	out.WriteString("\n\n")
	out.Write(second)
	if again, ok := parse(out.Bytes()); ok {
		again.Close()
		return out.Bytes(), true
	}
	return nil, false
}
