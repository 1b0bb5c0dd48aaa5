package bug

import (
	"bytes"
	"strings"
	"time"

	sitter "github.com/tree-sitter/go-tree-sitter"

	"breakfix/internal/testrun"
)

// variant is a candidate for the minimised test.
type variant struct {
	dir     string // folder of the tree that it lies in, "" for the root
	src     []byte
	id      testID
	at      marks
	size    int  // statements
	risky   bool // it may well hang
	red     string
	took    time.Duration // on the base, once it works
	failure testrun.Failure
}

func newVariant(dir string, src []byte, id testID, at marks) *variant {
	text := tidy(src)
	for i, line := range at {
		if line > 0 && len(text) != len(src) {
			at[i] = sameLine(src, text, line)
		}
	}
	return &variant{dir: dir, src: text, id: id, at: at, size: countStatements(src)}
}

func isImport(line string) bool {
	return strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "from ")
}

// loose returns the comments of the module that belong to no statement below them.
func (m *module) loose() (cuts []cut) {
	for i := uint(0); i < m.root.NamedChildCount(); i++ {
		c := m.root.NamedChild(i)
		line := int(c.StartPosition().Row) + 1
		if c.Kind() != "comment" || m.start(line) != int(c.StartByte()) {
			continue
		}
		var next *sitter.Node
		for j := i + 1; j < m.root.NamedChildCount() && next == nil; j++ {
			n := m.root.NamedChild(j)
			if int(n.StartPosition().Row)+1 != line+1 {
				break
			}
			if line++; n.Kind() != "comment" {
				next = n
			}
		}
		if next == nil {
			end := int(c.EndByte())
			if end < len(m.src) {
				end++
			}
			cuts = append(cuts, cut{start: int(c.StartByte()), end: end})
		}
	}
	return cuts
}

// sameLine finds a line in a text from which blank lines were taken.
func sameLine(src, text []byte, line int) int {
	nth := 0
	for i, l := range bytes.Split(src, newline) {
		if len(bytes.TrimSpace(l)) > 0 {
			nth++
		}
		if i+1 == line {
			break
		}
	}
	for i, l := range bytes.Split(text, newline) {
		if len(bytes.TrimSpace(l)) > 0 {
			if nth--; nth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// tidy takes out the blank lines that cuts leave behind: at the ends, after a
// line that opens a block, and more than one in a row within one.
func tidy(src []byte) []byte {
	trimmed := strings.TrimSpace(string(src))
	if trimmed == "" {
		return nil
	}
	lines := strings.Split(trimmed, "\n")
	var out []string
	for i := 0; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) != "" {
			out = append(out, lines[i])
			continue
		}
		next := i
		for strings.TrimSpace(lines[next]) == "" {
			next++ // the last line is not blank
		}
		blank := min(next-i, 2)
		if isImport(lines[next]) {
			blank = min(blank, 1)
		}
		if strings.HasPrefix(lines[next], " ") || strings.HasPrefix(lines[next], "\t") {
			blank = 1
			if len(out) > 0 && strings.HasSuffix(out[len(out)-1], ":") {
				blank = 0
			}
		}
		out = append(out, make([]string, blank)...)
		i = next - 1
	}
	text := []byte(strings.Join(out, "\n") + "\n")
	if bytes.Equal(text, src) || !bytes.Contains(src, []byte(`"""`)) && !bytes.Contains(src, []byte("'''")) && !bytes.Contains(src, []byte("\\\n")) {
		return text // no string goes over lines
	}
	before, okb := tokens(src)
	after, oka := tokens(text)
	if okb && oka && before == after { // blank lines within a string are not ours
		return text
	}
	return src
}

func (v *variant) less(w *variant) bool {
	if v.size != w.size {
		return v.size < w.size
	}
	if len(v.src) != len(w.src) {
		return len(v.src) < len(w.src)
	}
	return bytes.Compare(v.src, w.src) < 0
}

// supportOf counts the statements of a test with the support code of its file,
// or with all that it mentions, which may be other tests, where that is more.
func supportOf(whole []byte, id testID) int {
	s, ok := onlyTest(whole, id)
	if !ok {
		return countStatements(whole)
	}
	n := countStatements(s)
	if s, ok = prune(whole, id); ok {
		n = max(n, countStatements(s))
	}
	return n
}

// onlyTest returns the file without the other tests.
func onlyTest(src []byte, id testID) ([]byte, bool) {
	m, ok := parse(src)
	if !ok {
		return nil, false
	}
	defer m.Close()
	classes, fn := m.locate(id)
	if fn == nil && len(classes) > 0 {
		fn = m.inherits(classes[len(classes)-1], id.fn, 0)
	}
	if fn == nil {
		return nil, false
	}
	var cuts []cut
	for _, p := range m.pieces(id) {
		d := definition(p.node)
		if d != nil && d.Kind() == "function_definition" && strings.HasPrefix(m.name(d), "test") && p.node.Id() != fn.Id() {
			cuts = append(cuts, m.cutStatement(p.node))
		}
	}
	return m.apply(cuts)
}

// original returns the source of the test itself.
func original(whole []byte, id testID) string {
	m, ok := parse(whole)
	if !ok {
		return ""
	}
	defer m.Close()
	classes, fn := m.locate(id)
	if fn == nil && len(classes) > 0 {
		fn = m.inherits(classes[len(classes)-1], id.fn, 0)
	}
	if fn == nil {
		return ""
	}
	return m.text(fn)
}

// Callable tells whether the test can be called without pytest, as far as its own
// file goes: whether it then says the same is to be tried.
func (r RedTest) Callable() bool {
	v := variant{src: []byte(r.Code), id: parseID(r.Test)}
	return v.callable()
}

// callable tells whether a variant's test can be called without pytest: no parameter, no mark,
// nothing that runs before it but what unittest does.
func (v *variant) callable() bool { return v.callableFunction() || v.callableMethod() }

// callableMethod is callable for a method of a class of the file, its own or one that it inherits
// from there, where nothing of pytest's is in the file.
func (v *variant) callableMethod() bool {
	m, ok := parse(v.src)
	if !ok || len(v.id.classes) != 1 || v.id.param != "" || strings.Contains(string(v.src), "pytest") {
		return false
	}
	defer m.Close()
	class, able := false, true
	walk(m.root, func(n *sitter.Node) bool {
		switch n.Kind() {
		case "class_definition":
			class = class || m.text(n.ChildByFieldName("name")) == v.id.classes[0] && n.Parent() != nil && n.Parent().Kind() == "module"
		case "function_definition":
			name := m.text(n.ChildByFieldName("name"))
			own := name == v.id.fn && (len(statements(n.ChildByFieldName("parameters"))) != 1 || strings.HasPrefix(m.text(n), "async") || contains(n.ChildByFieldName("body"), "yield"))
			able = able && !own && !moduleLifecycle[name] && !strings.HasPrefix(name, "setup_") && !strings.HasPrefix(name, "teardown_")
		case "decorated_definition":
			able = able && m.text(n.ChildByFieldName("definition").ChildByFieldName("name")) != v.id.fn
		}
		return able
	})
	return class && able
}

// callableFunction is callable for a function.
func (v *variant) callableFunction() bool {
	m, ok := parse(v.src)
	if !ok {
		return false
	}
	defer m.Close()
	_, fn := m.locate(v.id)
	if len(v.id.classes) > 0 || fn == nil || fn.Kind() != "function_definition" || strings.HasPrefix(m.text(fn), "async") || contains(fn.ChildByFieldName("body"), "yield") {
		return false
	}
	for _, s := range statements(m.root) {
		names := map[string]bool{}
		m.binds(s, names)
		for name := range names {
			if moduleLifecycle[name] {
				return false
			}
		}
		if strings.Contains(m.decorators(s), "autouse") {
			return false
		}
	}
	return len(statements(fn.ChildByFieldName("parameters"))) == 0
}
