package builtin

import (
	"context"
	"slices"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
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
			moves[strings.TrimPrefix(c.What(), "order: exchange ")] = true
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

// TestDefinitionsChangePlacesOnlyWhereThatCanTell: what a function's body says is read later.
func TestDefinitionsChangePlacesOnlyWhereThatCanTell(t *testing.T) {
	const text = `def a(): return b()
def b(): return 1
class C: n = b
class D(C):
    def m(self): return 1
    @property
    def x(self): return self.m()
k = [b, D]
def b(): return 2
print(k)
@b
def e(): pass
def g(h=e): pass
`
	var moves []string
	for _, c := range Candidates(wholeView("f.py", []byte(text))) {
		if c.Kind == kindOrder && strings.HasPrefix(c.What(), "order: exchange") {
			moves = append(moves, strings.TrimPrefix(c.What(), "order: exchange "))
		}
	}
	slices.Sort(moves)
	want := []string{
		"def b(): return 2 and print(k)", // a call may do anything
		"k = [b, D] and def b(): return 2",
		"print(k) and @b def e(): pass",
	}
	if !slices.Equal(moves, want) {
		t.Errorf("exchanges are %q, want %q", moves, want)
	}
}

// TestNoStepLeavesANameUnbound: such a tree is red whatever else it is.
func TestNoStepLeavesANameUnbound(t *testing.T) {
	const text = `def f(a, b):
    n = len(a)
    total = 0
    for x in a:
        total += x * n
    return [total + y for y in b]

def g(c):
    k = f(c, c)
    return k
`
	a := &neverGreen{trees: [][]byte{[]byte(text)}}
	a.task = arena.Task{Role: arena.Fixer, Seed: 1, Steps: 400, Failure: testrun.Failure{Kind: "AssertionError"}, Contexts: []arena.Context{wholeView("f.py", []byte(text)).Context}}
	if _, err := New().Fix(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	if len(a.trees) < 300 {
		t.Fatalf("%d steps show nothing", len(a.trees)-1)
	}
	for _, tried := range a.trees[1:] {
		bad, err := unbinds("f.py", []byte(text), []tree.Edit{{Start: 0, End: len(text), New: string(tried)}})
		if err != nil || bad {
			t.Errorf("a step was made that leaves a name unbound (%v):\n%s", err, tried)
		}
	}
	dropped := 0
	for _, c := range Candidates(wholeView("f.py", []byte(text))) {
		if bad, err := unbinds("f.py", []byte(text), c.Edits); err == nil && bad {
			dropped++
		}
	}
	if dropped == 0 {
		t.Error("no move of this text leaves a name unbound: it shows nothing")
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
		if c.turns.end > 0 {
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
		a.task = arena.Task{Role: arena.Fixer, Seed: 1, Steps: 2, Failure: testrun.Failure{Kind: "AssertionError"}, Contexts: []arena.Context{top, f}}
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
