package builtin

import (
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/testrun"
)

const spreadCode = `@memo
def weigh(items, least=0):
    """Their weight."""
    total = 0
    for item in items:
        if item > least:
            total = add(
                total, item,
            )
        else:
            total = 0
    return total


def other():
    return 1
`

func spreadView() View {
	v := View{Path: "m.py", Source: []byte(spreadCode), Context: arena.Context{Path: "m.py", Function: "weigh", FirstLine: 1, LastLine: 12}}
	for line, score := range map[int]float64{4: 0.5, 5: 0.5, 6: 0.5, 8: 1, 12: 0.5} {
		v.Suspects = append(v.Suspects, arena.Suspect{Path: "m.py", Line: line, Score: score})
	}
	return v
}

func TestWithoutAWindowALineIsAsLikelyAsItIsSuspicious(t *testing.T) {
	v := spreadView()
	s := spanOf(v, parse(v.Path, v.Source))
	for _, c := range []struct {
		what        string
		first, last int
		above       [2]int // lines that are less likely
	}{
		{"a statement is as suspicious as the worst of its lines", 7, 7, [2]int{6, 6}},
		{"the head of a function as its body", 2, 2, [2]int{6, 6}},
		{"a line that runs more than one that does not", 6, 6, [2]int{11, 11}},
	} {
		if a, b := s.line(c.first, c.last), s.line(c.above[0], c.above[1]); a <= b {
			t.Errorf("%s: line %d has %v, line %d %v", c.what, c.first, a, c.above[0], b)
		}
	}
	if s.line(7, 9) != 0 {
		t.Errorf("a line of suspicion 1 has log prior %v, want 0", s.line(7, 9))
	}
	if s.line(16, 16) >= unreachable {
		t.Errorf("a line outside of the context has log prior %v", s.line(16, 16))
	}
	if s.gap(6) >= s.line(7, 7) || s.gap(6) <= s.gap(4) {
		t.Errorf("gaps have %v and %v", s.gap(6), s.gap(4))
	}
	v.Failure = testrun.Failure{Frames: []testrun.Frame{{Path: "m.py", Line: 5}, {Path: "m.py", Line: 12}}}
	b := spanOf(v, parse(v.Path, v.Source))
	if up, on := b.line(12, 12)-s.line(12, 12), b.line(5, 5)-s.line(5, 5); up <= on || on <= 0 {
		t.Errorf("the traceback adds %v where it raised and %v on the way", up, on)
	}
}

func TestWithoutAWindowCandidatesOfTheSuspiciousLineComeFirst(t *testing.T) {
	v := spreadView()
	cs := Candidates(v)
	if len(cs) < 30 {
		t.Fatalf("%d candidates, want many", len(cs))
	}
	at := 0.0
	for _, c := range cs[:10] {
		if c.Line >= 2 && c.Line <= 9 {
			at++
		}
		if c.Line > 12 {
			t.Errorf("%s at line %d is outside of the context", c.What(), c.Line)
		}
	}
	if at < 6 {
		t.Errorf("%v of the first ten are at the most suspicious statements", at)
	}
}

func TestSuspectsMoveWithAnEdit(t *testing.T) {
	before := []byte("a\nb\nc\nd\n")
	to := shifted(before, []byte("a\nb\nnew\nmore\nc\nd\n"))
	for line, want := range map[int]int{1: 1, 2: 2, 3: 5, 4: 6} {
		if to(line) != want {
			t.Errorf("after two lines were put in line %d is at %d, want %d", line, to(line), want)
		}
	}
	to = shifted(before, []byte("a\nd\n"))
	if to(1) != 1 || to(4) != 2 {
		t.Errorf("after two lines were taken out line 4 is at %d", to(4))
	}
}
