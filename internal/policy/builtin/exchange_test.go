package builtin

import (
	"context"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/testrun"
)

// TestExchangesThatRepairNothingAreNoMoves: of each pair of neighbours, by what they say.
func TestExchangesThatRepairNothingAreNoMoves(t *testing.T) {
	const text = `def f(a, log):
    n = len(a)
    m = a[0], 2
    total = 0
    for x in a:
        total += x
    a = sorted(a)
    log.append(total)
    log.append(n + m)
    a = a or total
    return a
`
	moves := map[string]bool{}
	for _, c := range Candidates(wholeView("f.py", []byte(text))) {
		if c.Kind == kindOrder {
			moves[strings.TrimPrefix(c.What, "order: exchange ")] = true
		}
	}
	for what, repairs := range map[string]bool{
		"n = len(a) and m = a[0], 2":               false, // nothing changes
		"m = a[0], 2 and total = 0":                false,
		"total = 0 and for x in a: total += x":     false, // unbound
		"for x in a: total += x and a = sorted(a)": true,
		"a = sorted(a) and log.append(total)":      true, // a call may do anything
		"log.append(total) and log.append(n + m)":  true,
		"log.append(n + m) and a = a or total":     true,
		"a = a or total and return a":              false, // never reached
	} {
		if moves[what] != repairs {
			t.Errorf("exchange %s: a move is %v, want %v; there are %v", what, moves[what], repairs, moves)
		}
	}
}

func TestAConditionIsTurnedAroundOnceInAnAttempt(t *testing.T) {
	const text = "def f(a, b):\n    if a > b:\n        return a\n    else:\n        return -b\n"
	a := &neverGreen{trees: [][]byte{[]byte(text)}}
	a.task = arena.Task{Role: arena.Fixer, Seed: 1, Steps: 400, Failure: testrun.Failure{Kind: "AssertionError"}, Contexts: []arena.Context{wholeView("f.py", []byte(text)).Context}}
	p := New()
	p.Temperature = 0
	if _, err := p.Fix(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	turned := map[string]bool{
		strings.Replace(text, "a > b", "a <= b", 1):                                     true,
		strings.Replace(text, "a > b", "not (a > b)", 1):                                true,
		strings.Replace(text, "a > b", "not a > b", 1):                                  true,
		"def f(a, b):\n    if a > b:\n        return -b\n    else:\n        return a\n": true,
	}
	n, listed := 0, 0
	for _, x := range a.trees[1:] {
		if turned[string(x)] {
			n++
		}
	}
	for _, c := range Candidates(wholeView("f.py", []byte(text))) {
		if c.turns != (struct{ start, end int }{}) {
			listed++
		}
	}
	if n != 1 || listed < 4 {
		t.Errorf("of %d words for it %d were tried in %d steps, want one", listed, n, len(a.trees)-1)
	}
}

// TestPlacesWeighByWhatCanBeDoneThere: one move alone is not likelier than all of another place.
func TestPlacesWeighByWhatCanBeDoneThere(t *testing.T) {
	const text = "import os\n\n\ndef f(a, b):\n    total = 0\n    for x in a:\n        if x > b:\n            total += x\n    return total\n"
	whole := arena.Context{Path: "f.py"}
	top, f := whole, whole
	top.FirstLine, top.LastLine = 1, 1
	f.Function, f.FirstLine, f.LastLine = "f", 4, 9
	shipped, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*Policy{"shipped": With(shipped), "hand": New()} {
		a := &neverGreen{trees: [][]byte{[]byte(text)}}
		a.task = arena.Task{Role: arena.Fixer, Seed: 1, Steps: 4, Failure: testrun.Failure{Kind: "AssertionError"}, Contexts: []arena.Context{top, f}}
		p.Temperature = 0
		if _, err := p.Fix(context.Background(), a); err != nil {
			t.Fatal(err)
		}
		for i, x := range a.trees[1:] {
			if !strings.HasPrefix(string(x), "import os\n\n\ndef f") {
				t.Errorf("%s: step %d is at the import:\n%s", name, i+1, x)
			}
		}
	}
}
