package bug

import sitter "github.com/tree-sitter/go-tree-sitter"

// slices returns the file with what the test does up to its failure and nothing
// else, in up to three guesses, the boldest first: the statements before it that bind a
// name which it needs; with them those that do something with such a name; all but
// what comes after. They decide by names and run nothing.
func (z *minimiser) slices(v *variant) []*variant {
	if v.at[testSite] == 0 {
		return nil
	}
	m, ok := parse(v.src)
	if !ok {
		return nil
	}
	defer m.Close()
	_, fn := m.locate(v.id)
	if fn == nil {
		return nil
	}
	var out []*variant
	for guess := range 3 {
		cuts, ok := m.slice(definition(fn), v.at[testSite], guess)
		if !ok {
			return out
		}
		w := z.cut(m, v, cuts)
		if w == nil || len(w.src) >= len(v.src) {
			continue
		}
		if n := len(out); n == 0 || string(out[n-1].src) != string(w.src) {
			out = append(out, w)
		}
	}
	return out
}

const (
	bindsIt  = 0 // what binds a needed name
	usesIt   = 1 // what mentions one that the function binds
	beforeIt = 2
)

// slice returns the statements of a function that the one on a line does not need.
func (m *module) slice(fn *sitter.Node, line, guess int) (cuts []cut, ok bool) {
	local := map[string]bool{}
	m.identifiersOf(fn.ChildByFieldName("parameters"), local)
	for _, s := range statements(fn.ChildByFieldName("body")) {
		m.binds(s, local)
	}
	// The blocks around the line, the outermost first, and the statement of each.
	var blocks [][]*sitter.Node
	var at []int
	block := fn.ChildByFieldName("body")
	for block != nil {
		ss := statements(block)
		i := 0
		for i < len(ss) && int(ss[i].EndPosition().Row)+1 < line {
			i++
		}
		if i == len(ss) {
			break
		}
		blocks, at = append(blocks, ss), append(at, i)
		block = nil
		if int(ss[i].StartPosition().Row)+1 != line && definition(ss[i]) == nil {
			walk(ss[i], func(n *sitter.Node) bool {
				if block != nil {
					return false
				}
				if n.Kind() == "block" && int(n.StartPosition().Row)+1 <= line && line <= int(n.EndPosition().Row)+1 {
					block = n
					return false
				}
				return true
			})
		}
	}
	if len(blocks) == 0 {
		return nil, false
	}
	needed := map[string]bool{}
	for k := len(blocks) - 1; k >= 0; k-- {
		here := blocks[k][at[k]]
		if k == len(blocks)-1 {
			m.identifiers(here, needed)
		} else {
			m.heads(here, needed)
		}
		for _, s := range blocks[k][at[k]+1:] {
			cuts = append(cuts, m.cutStatement(s))
		}
		for i := at[k] - 1; i >= 0; i-- {
			s := blocks[k][i]
			if !m.needs(s, needed, local, guess) {
				cuts = append(cuts, m.cutStatement(s))
				continue
			}
			m.identifiers(s, needed)
		}
	}
	return cuts, true
}

// needs tells whether a statement matters to what comes after it.
func (m *module) needs(s *sitter.Node, needed, local map[string]bool, guess int) bool {
	switch {
	case guess == beforeIt:
		return true
	case isString(s) || s.Kind() == "assert_statement":
		return false
	}
	names := map[string]bool{}
	m.binds(s, names)
	for name := range names {
		if needed[name] {
			return true
		}
	}
	if guess == bindsIt {
		return false
	}
	names = map[string]bool{}
	m.identifiers(s, names)
	for name := range names {
		if needed[name] && local[name] {
			return true
		}
	}
	return false
}

// heads adds the names in a compound statement but for those of its blocks.
func (m *module) heads(s *sitter.Node, into map[string]bool) {
	for i := uint(0); i < s.NamedChildCount(); i++ {
		if c := s.NamedChild(i); c.Kind() != "block" {
			m.identifiers(c, into)
		}
	}
}

func (m *module) identifiersOf(n *sitter.Node, into map[string]bool) {
	if n != nil {
		m.identifiers(n, into)
	}
}
