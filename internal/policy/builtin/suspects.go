package builtin

import (
	"math"

	"breakfix/internal/arena"
)

// Where no window tells the place (a tree that was red when it came), lines
// have the log prior of their suspicion: suspectWeight × the logarithm of the
// Ochiai coefficient of the red tests' lines (Abreu et al., 2007; the best of the
// simple coefficients in their comparison), and more for lines of the traceback.
const (
	suspectWeight = 2.0
	innermost     = 0.7  // bonus of the line that raised
	onTheWay      = 0.4  // of the other lines of the traceback
	notRun        = -7.0 // a line that no red test runs: an edit of it alone repairs nothing
	between       = -2.0 // as that of a gap in a window
)

// spread is the span of a whole function, every line of it in the core.
func spread(v View, root *node) span {
	c := v.Context
	s := span{first: c.FirstLine, last: c.LastLine, winFirst: c.FirstLine, winLast: c.LastLine, coreFirst: c.FirstLine, coreLast: c.LastLine, lines: map[int]float64{}}
	root.walk(func(n *node) bool {
		if n.kind == "function_definition" && n.row >= c.FirstLine && n.last <= c.LastLine && s.coreFirst == c.FirstLine && s.coreLast == c.LastLine {
			s.coreFirst, s.coreLast = n.row, n.last // without decorators
			return false
		}
		return n.row <= c.LastLine && n.last >= c.FirstLine
	})
	score := map[int]float64{}
	for _, x := range v.Suspects {
		if x.Path == v.Path && x.Line >= c.FirstLine && x.Line <= c.LastLine {
			score[x.Line] = max(score[x.Line], x.Score)
		}
	}
	most := 0.0
	for l := c.FirstLine; l <= c.LastLine; l++ {
		most = max(most, score[l])
	}
	// A statement runs as a whole, though the lines that were seen to run may be
	// some of its own; the head of a function runs with its body.
	head := map[int]bool{}
	root.walk(func(n *node) bool {
		if n.row > c.LastLine || n.last < c.FirstLine {
			return false
		}
		last := n.last
		switch body := n.child("body"); {
		case n.kind == "function_definition":
			if n.row >= c.FirstLine && body != nil {
				for l := n.row; l < max(body.row, n.row+1); l++ {
					score[l] = max(score[l], most)
				}
			}
			return true
		case n.simple():
		case body != nil && (n.kind == "for_statement" || n.kind == "while_statement" || n.kind == "with_statement"):
			last = max(n.row, body.row-1)
		case n.child("consequence") != nil:
			last = max(n.row, n.child("consequence").row-1)
		default:
			return true
		}
		m := 0.0
		for l := n.row; l <= last; l++ {
			m, head[l] = max(m, score[l]), true
		}
		for l := n.row; l <= last; l++ {
			score[l] = m
		}
		return true
	})
	for l := c.FirstLine; l <= c.LastLine; l++ {
		if _, known := score[l]; !known && !head[l] { // else:, a comment, a blank line: as what stands above
			score[l] = score[l-1]
		}
		p := notRun
		if score[l] > 0 {
			p = max(suspectWeight*math.Log(score[l]), notRun)
		}
		s.lines[l] = p
	}
	inner := true
	for i := len(v.Failure.Frames) - 1; i >= 0; i-- {
		f := v.Failure.Frames[i]
		if _, in := s.lines[f.Line]; f.Path != v.Path || !in {
			continue
		}
		if inner {
			s.lines[f.Line] += innermost
		} else {
			s.lines[f.Line] += onTheWay
		}
		inner = false
	}
	return s
}

// spreadLine is line for a spread.
func (s span) spreadLine(first, last int) float64 {
	p := unreachable - 1
	for l := max(first, s.first); l <= min(last, s.last); l++ {
		p = max(p, s.lines[l])
	}
	return p
}

// spreadGap is gap for a spread.
func (s span) spreadGap(line int) float64 { return s.spreadLine(line, line+1) + between }

// suspectsOf keeps the suspects of a context, where their lines are in a tree
// that edits have moved; shift tells.
func suspectsOf(all []arena.Suspect, c arena.Context, shift func(int) int) []arena.Suspect {
	var some []arena.Suspect
	for _, x := range all {
		if x.Path == c.Path {
			if x.Line = shift(x.Line); x.Line >= c.FirstLine && x.Line <= c.LastLine {
				some = append(some, x)
			}
		}
	}
	return some
}

// shifted tells where the lines of a text are after an edit of it.
func shifted(before, after []byte) func(line int) int {
	head := 0 // lines that both begin with
	for i := 0; i < min(len(before), len(after)) && before[i] == after[i]; i++ {
		if before[i] == '\n' {
			head++
		}
	}
	moved := lines(after) - lines(before)
	return func(line int) int {
		if line > head+max(0, -moved) {
			return line + moved
		}
		return line
	}
}
