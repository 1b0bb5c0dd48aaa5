package bug

import (
	"bytes"
	"sort"
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"

	"breakfix/internal/tree"
)

// cut is one thing that can be taken out of a file.
type cut struct {
	start, end int    // the bytes to take out
	with       string // what comes instead
	// For a statement: its block and the block's number of statements, because
	// a block that loses all of them needs a pass.
	block, of int
	statement bool
	own       [2]int // the statement's own bytes, without its line's rest
	body      int    // where what with repeats of the bytes begins, 0 when it repeats none
	above     int    // lines of with before that
}

// cutStatement takes a whole statement with its lines, and the comments
// directly above it.
func (m *module) cutStatement(s *sitter.Node) cut {
	start, end := int(s.StartByte()), int(s.EndByte())
	c := cut{start: start, end: end, statement: true, own: [2]int{start, end}}
	if p := s.Parent(); p != nil {
		c.block, c.of = int(p.StartByte()), len(statements(p))
		if p.Kind() == "module" {
			c.block = -1
		}
	}
	line := bytes.LastIndexByte(m.src[:start], '\n') + 1
	rest := bytes.IndexByte(m.src[end:], '\n')
	tail := m.src[end:]
	if rest >= 0 {
		tail = m.src[end : end+rest]
	}
	trimmed := bytes.TrimSpace(tail)
	if len(bytes.TrimSpace(m.src[line:start])) == 0 && (len(trimmed) == 0 || trimmed[0] == '#') {
		c.start, c.end = line, end+len(tail)
		if rest >= 0 {
			c.end++
		}
		for c.start > 0 { // comments that belong to it
			above := bytes.LastIndexByte(m.src[:c.start-1], '\n') + 1
			text := bytes.TrimSpace(m.src[above : c.start-1])
			if len(text) == 0 || text[0] != '#' {
				break
			}
			c.start = above
		}
	}
	return c
}

// apply returns the file without the cuts. Of cuts that contain one another
// the outermost counts. ok is false when the cuts cannot be made together.
func (m *module) apply(cuts []cut) (out []byte, ok bool) {
	out, _, ok = m.without(cuts, marks{})
	return out, ok
}

// without is apply, and tells where the marked lines are in the result. ok is
// false when one of them goes.
func (m *module) without(cuts []cut, at marks) (out []byte, now marks, ok bool) {
	cs := append([]cut(nil), cuts...)
	sort.SliceStable(cs, func(i, j int) bool {
		if cs[i].start != cs[j].start {
			return cs[i].start < cs[j].start
		}
		if a, b := cs[i].end == cs[i].start, cs[j].end == cs[j].start; a != b {
			return a // what is only put in comes first
		}
		return cs[i].end > cs[j].end
	})
	var kept []cut
	gone := map[int]int{}
	for _, c := range cs {
		if n := len(kept); n > 0 && c.start < kept[n-1].end {
			if c.end <= kept[n-1].end {
				continue
			}
			return nil, at, false
		}
		kept = append(kept, c)
		if c.statement {
			gone[c.block]++
		}
	}
	var edits []tree.Edit
	filled := map[int]bool{}
	for _, c := range kept {
		e := tree.Edit{Start: c.start, End: c.end, New: c.with}
		if c.statement && c.block >= 0 && gone[c.block] == c.of && !filled[c.block] {
			filled[c.block] = true
			e = tree.Edit{Start: c.own[0], End: c.own[1], New: "pass"}
		}
		edits = append(edits, e)
	}
	for i, line := range at {
		if line == 0 {
			continue
		}
		if now[i] = m.moved(line, kept, edits); now[i] == 0 {
			return nil, at, false
		}
	}
	out, err := tree.ApplyEdits(m.src, edits)
	if err != nil {
		return nil, at, false
	}
	again, ok := parse(out)
	if !ok {
		return nil, at, false
	}
	again.Close()
	return out, now, true
}

// moved returns the line on which a statement stands after the edits of cuts, 0
// when they take it away.
func (m *module) moved(line int, cuts []cut, edits []tree.Edit) int {
	at := m.start(line)
	by := 0
	for i, e := range edits {
		switch c := cuts[i]; {
		case e.End <= at:
			by += strings.Count(e.New, "\n") - bytes.Count(m.src[e.Start:e.End], newline)
		case e.Start > at:
		case c.body > 0 && at >= c.body:
			return by + m.line(e.Start) + c.above + line - m.line(c.body)
		case e.Start == at && !c.statement:
			return by + line
		default:
			return 0
		}
	}
	return by + line
}

var newline = []byte("\n")

// line returns the line of a byte, from 1.
func (m *module) line(at int) int { return bytes.Count(m.src[:at], newline) + 1 }

// start returns the first byte of a line that is not blank.
func (m *module) start(line int) int {
	at := 0
	for ; line > 1; line-- {
		i := bytes.IndexByte(m.src[at:], '\n')
		if i < 0 {
			return len(m.src)
		}
		at += i + 1
	}
	for at < len(m.src) && (m.src[at] == ' ' || m.src[at] == '\t') {
		at++
	}
	return at
}
