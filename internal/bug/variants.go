package bug

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"

	"breakfix/internal/tree"
)

// Variants returns copies of the minimised test's file, at most n, each with
// one thing changed: a number one up or down, a text one letter longer, a truth
// value or an assertion turned around. Who repaired the bug gives on each what the base
// gives; who knows the answers of the red test by heart, or makes every
// comparison true, does not. Literals of the test itself come first. The same
// test gives the same variants.
func (r RedTest) Variants(n int) []string {
	src := []byte(r.Code)
	m, ok := parse(src)
	if !ok {
		return nil
	}
	defer m.Close()
	var inside, outside []tree.Edit
	from, to := uint(0), uint(0)
	id := parseID(r.Test)
	if _, fn := m.locate(id); fn != nil {
		from, to = fn.StartByte(), fn.EndByte()
	}
	m.changes(m.root, func(e tree.Edit) {
		if at := uint(e.Start); from <= at && at < to {
			inside = append(inside, e)
		} else {
			outside = append(outside, e)
		}
	})
	edits := spread(inside, n)
	edits = append(edits, spread(outside, n-len(edits))...)
	var out []string
	for _, e := range edits {
		code, err := tree.ApplyEdits(src, []tree.Edit{e})
		if err != nil {
			continue
		}
		if again, ok := parse(code); ok {
			again.Close()
			out = append(out, string(code))
		}
	}
	return out
}

// spread picks n of the edits, evenly over the file and in its order.
func spread(edits []tree.Edit, n int) []tree.Edit {
	sort.SliceStable(edits, func(i, j int) bool { return edits[i].Start < edits[j].Start })
	if n <= 0 {
		return nil
	}
	if len(edits) <= n {
		return edits
	}
	var out []tree.Edit
	for i := range n {
		out = append(out, edits[i*len(edits)/n])
	}
	return out
}

// changes yields the edits of literals that are values, and of assertions. What decorates a
// test decides its name and its cases, and a lone text documents.
func (m *module) changes(n *sitter.Node, yield func(tree.Edit)) {
	start, end := int(n.StartByte()), int(n.EndByte())
	switch n.Kind() {
	case "import_statement", "import_from_statement", "future_import_statement", "decorator", "type":
		return
	case "expression_statement":
		if n.NamedChildCount() == 1 && slices.Contains([]string{"string", "concatenated_string"}, n.NamedChild(0).Kind()) {
			return
		}
	case "assert_statement":
		if e := n.NamedChild(0); e != nil {
			yield(tree.Edit{Start: int(e.StartByte()), End: int(e.EndByte()), New: "not (" + m.text(e) + ")"})
		}
	case "integer":
		if v, err := strconv.ParseInt(m.text(n), 0, 64); err == nil && v < 1<<62 {
			yield(tree.Edit{Start: start, End: end, New: strconv.FormatInt(v+1, 10)})
			yield(tree.Edit{Start: start, End: end, New: strconv.FormatInt(v-1, 10)})
		}
		return
	case "float":
		if v, err := strconv.ParseFloat(m.text(n), 64); err == nil && v+1 != v {
			text := strconv.FormatFloat(v+1, 'g', -1, 64)
			if !strings.ContainsAny(text, ".e") {
				text += ".0"
			}
			yield(tree.Edit{Start: start, End: end, New: text})
		}
		return
	case "true":
		yield(tree.Edit{Start: start, End: end, New: "False"})
		return
	case "false":
		yield(tree.Edit{Start: start, End: end, New: "True"})
		return
	case "string":
		last := n.NamedChild(n.NamedChildCount() - 1)
		if last != nil && last.Kind() == "string_end" && !strings.ContainsAny(strings.TrimRight(m.text(n.NamedChild(0)), `"'`), "fFtT") {
			yield(tree.Edit{Start: int(last.StartByte()), End: int(last.StartByte()), New: "z"})
		}
		return
	}
	for i := uint(0); i < n.NamedChildCount(); i++ {
		m.changes(n.NamedChild(i), yield)
	}
}
