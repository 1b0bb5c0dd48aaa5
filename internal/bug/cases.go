package bug

import (
	"strconv"
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
)

// table is a parametrize decorator taken apart.
type table struct {
	decorator *sitter.Node
	names     []string
	rows      [][]*sitter.Node
	// How pytest names the rows, as far as that can be read: where a row holds names,
	// first as if they were of classes and functions, then of other values.
	ids [2][]string
}

// resolved returns the test with one of its cases as assignments instead of
// its parametrize decorators: the case that the id names when that can be read
// off, else every one of a single table.
func (v *variant) resolved() []*variant {
	m, ok := parse(v.src)
	if !ok {
		return nil
	}
	defer m.Close()
	_, fn := m.locate(v.id)
	if fn == nil || fn.Kind() != "decorated_definition" {
		return nil
	}
	tables, ok := m.tables(fn)
	if !ok || len(tables) == 0 {
		return nil
	}
	picks := [][]int{nil} // a row of each table, by the last decorator first, as ids go
	for i := len(tables) - 1; i >= 0; i-- {
		var more [][]int
		for _, p := range picks {
			for r := range tables[i].rows {
				more = append(more, append(append([]int{}, p...), r))
			}
		}
		if picks = more; len(picks) > 1000 {
			return nil
		}
	}
	names := func(p []int, how int) bool {
		var parts []string
		for i, r := range p {
			parts = append(parts, tables[len(tables)-1-i].ids[how][r])
		}
		return "["+strings.Join(parts, "-")+"]" == v.id.param
	}
	var named [][]int
	for _, p := range picks {
		if names(p, 0) || names(p, 1) {
			named = append(named, p)
		}
	}
	if len(named) == 0 && len(tables) == 1 && len(picks) <= maxRows {
		named = picks
	}
	var out []*variant
	for _, p := range named {
		if w := m.withRows(v, fn, tables, p); w != nil {
			out = append(out, w)
		}
	}
	return out
}

// withRows returns the test with one row of each table.
func (m *module) withRows(v *variant, fn *sitter.Node, tables []table, pick []int) *variant {
	d := definition(fn)
	body := d.ChildByFieldName("body")
	params := d.ChildByFieldName("parameters")
	if body == nil || params == nil || body.StartPosition().Row == d.StartPosition().Row {
		return nil
	}
	var cuts []cut
	gone := map[string]bool{}
	head := ""
	indent := strings.Repeat(" ", int(body.StartPosition().Column))
	for i := range tables {
		t := tables[i]
		c := m.cutStatement(t.decorator)
		c.statement = false
		cuts = append(cuts, c)
		for j, name := range t.names {
			text, ok := m.value(t.rows[pick[len(tables)-1-i]][j])
			if !ok {
				return nil
			}
			gone[name] = true
			head += name + " = " + text + "\n" + indent
		}
	}
	var keep []string
	for _, p := range statements(params) {
		name := m.text(p)
		if p.Kind() == "typed_parameter" {
			name = m.text(p.NamedChild(0))
		}
		if !gone[name] {
			keep = append(keep, m.text(p))
		}
	}
	cuts = append(cuts, cut{start: int(params.StartByte()), end: int(params.EndByte()), with: "(" + strings.Join(keep, ", ") + ")"},
		cut{start: int(body.StartByte()), end: int(body.StartByte()), with: head})
	src, at, ok := m.without(cuts, v.at)
	if !ok {
		return nil
	}
	id := v.id
	id.param = ""
	return newVariant(v.dir, src, id, at)
}

// tables takes the parametrize decorators of a test apart; ok is false when one
// of them is not written out.
func (m *module) tables(fn *sitter.Node) (out []table, ok bool) {
	for i := uint(0); i < fn.NamedChildCount(); i++ {
		dec := fn.NamedChild(i)
		if dec.Kind() != "decorator" || !strings.Contains(m.text(dec), "parametrize") {
			continue
		}
		t, ok := m.table(dec)
		if !ok {
			return nil, false
		}
		out = append(out, t)
	}
	return out, true
}

func (m *module) table(dec *sitter.Node) (t table, ok bool) {
	call := dec.NamedChild(0)
	if call == nil || call.Kind() != "call" {
		return t, false
	}
	var args []*sitter.Node
	var ids []*sitter.Node
	for _, a := range statements(call.ChildByFieldName("arguments")) {
		if a.Kind() != "keyword_argument" {
			args = append(args, a)
			continue
		}
		switch m.text(a.ChildByFieldName("name")) {
		case "ids":
			ids = m.elements(a.ChildByFieldName("value"))
		case "argnames", "argvalues", "indirect":
			return t, false
		}
	}
	if len(args) != 2 {
		return t, false
	}
	t.decorator = dec
	if s, ok := m.literal(args[0]); ok {
		for _, n := range strings.Split(s, ",") {
			t.names = append(t.names, strings.TrimSpace(n))
		}
	} else {
		for _, e := range m.elements(args[0]) {
			s, ok := m.literal(e)
			if !ok {
				return t, false
			}
			t.names = append(t.names, s)
		}
	}
	for i, e := range m.elements(args[1]) {
		id := ""
		row := []*sitter.Node{e}
		if e.Kind() == "call" {
			if f := m.text(e.ChildByFieldName("function")); f == "pytest.param" || f == "param" {
				row = nil
				for _, a := range statements(e.ChildByFieldName("arguments")) {
					switch {
					case a.Kind() != "keyword_argument":
						row = append(row, a)
					case m.text(a.ChildByFieldName("name")) == "id":
						id, _ = m.literal(a.ChildByFieldName("value"))
					}
				}
				if len(t.names) > 1 {
					goto have
				}
			}
		}
		if len(t.names) > 1 {
			if e.Kind() != "tuple" && e.Kind() != "list" {
				return t, false
			}
			row = statements(e)
		}
	have:
		if len(row) != len(t.names) {
			return t, false
		}
		if id == "" && i < len(ids) {
			id, _ = m.literal(ids[i])
		}
		t.rows = append(t.rows, row)
		for how := range t.ids {
			given := id
			if given == "" {
				var parts []string
				for j, r := range row {
					parts = append(parts, m.idOf(r, t.names[j], i, how == 0))
				}
				given = strings.Join(parts, "-")
			}
			t.ids[how] = append(t.ids[how], given)
		}
	}
	return t, len(t.rows) > 0
}

// idOf is how pytest names a value; named says that names are of classes or functions.
func (m *module) idOf(n *sitter.Node, name string, row int, named bool) string {
	switch n.Kind() {
	case "integer", "float", "true", "false", "none":
		return m.text(n)
	case "unary_operator":
		if k := n.ChildByFieldName("argument"); k != nil && (k.Kind() == "integer" || k.Kind() == "float") {
			return m.text(n)
		}
	case "string":
		if s, ok := m.literal(n); ok {
			return s
		}
	case "identifier":
		if named {
			return m.text(n)
		}
	case "attribute":
		if named {
			return m.text(n.ChildByFieldName("attribute"))
		}
	}
	return name + strconv.Itoa(row)
}

// literal returns the text of a plain string.
func (m *module) literal(n *sitter.Node) (string, bool) {
	if n == nil || n.Kind() != "string" {
		return "", false
	}
	out := ""
	for i := uint(0); i < n.NamedChildCount(); i++ {
		c := n.NamedChild(i)
		switch c.Kind() {
		case "string_start":
			if strings.ContainsAny(m.text(c), "fFbBtT") {
				return "", false
			}
		case "string_content":
			if c.NamedChildCount() > 0 { // escapes
				return "", false
			}
			out = m.text(c)
		}
	}
	return out, true
}
