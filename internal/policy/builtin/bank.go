package builtin

import (
	"breakfix/internal/lang"
	"breakfix/internal/mutate"
)

// fromBank offers the operators of the bank on the broken file: most undo
// themselves or each other. What the moves of this package come to as well
// keeps the likelier reading.
func (g *generator) fromBank() {
	l, ok := lang.ForPath(g.view.Path)
	if !ok {
		return
	}
	f, err := lang.Parsed(l, g.src)
	if err != nil {
		return
	}
	for _, m := range mutate.EnumerateLines(l, g.view.Path, f, mutate.Repairs(), min(g.span.first, g.span.winFirst), max(g.span.last, g.span.winLast)) {
		first, last := m.Edits[0], m.Edits[len(m.Edits)-1]
		g.offer(kindBank, first.Start, last.End, g.span.line(m.Line, m.LastLine), m.Edits, m.Operator+": "+clip(m.Variant), 1)
	}
}
