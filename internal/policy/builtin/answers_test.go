package builtin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/testrun"
)

func TestTheLargestExpressionsWithoutAnEffectAreLookedAt(t *testing.T) {
	const text = `LIMIT = 3 + 4


@wrap(LIMIT - 1)
def f(a, b=LIMIT + 1):
    """Text."""
    total, a[b + 1] = a[0] + len(b), 1
    for i, x in enumerate(a):
        if x > b and not b:
            total += abs(x) - i
        a.append(x - 1)
        self.rows[i].push(f"{x}", key=x.y)
    print([n + 1 for n in a if n], step(a)[i - 1])
    with open(a) as out:
        out.write(b"..")
    if x:
        return a, x + 1
    return sum(x for x in a) if total else (yield a)
`
	root := parse("f.py", []byte(text))
	var got []string
	for _, k := range root.kids {
		for _, n := range (&effects{src: []byte(text)}).sites(k, false, nil) {
			s := n.text([]byte(text))
			if isCondition(n) {
				s += " ?"
			}
			got = append(got, s)
		}
	}
	want := []string{"a[0] + len(b)", "1", "enumerate(a)", "x > b and not b ?", "abs(x) - i", "a", "x - 1", "self.rows[i]", `f"{x}"`, "x.y",
		"[n + 1 for n in a if n]", "a", "i - 1", "out", `b".."`, "x ?", "a, x + 1", "sum(x for x in a)", "total ?", "a"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}

func TestWhatTheRedTestWantsIsReadFromTheAssertion(t *testing.T) {
	for _, c := range []struct{ message, line, want string }{
		{"assert 3 == 5\n +  where 3 = f(2)", "    assert f(2) == 5", "3 5 f(2) 5"},
		{"3 != 5", "self.assertEqual(f(2), 5)", "3 5"},
		{"assert False\n +  where False = f(2)", "assert f(2)", "True"},
		{"assert not True", "assert not f(2)", "False"},
		{"no such thing", "raise X", ""},
	} {
		v := View{RedTest: "x\n" + c.line + "\n", Failure: testrun.Failure{Kind: "AssertionError", Message: c.message, TestLine: 2}}
		if got := strings.Join(wantedBy(v), " "); got != c.want {
			t.Errorf("%q: %q, want %q", c.message, got, c.want)
		}
	}
}

// knowing is an arena that tells that moves without b change nothing.
type knowing struct {
	neverGreen
	asked int
	same  map[string]bool // files in which nothing changes
}

func (a *knowing) Values(_ context.Context, qs []arena.Question, _ []string) ([][]arena.Answer, error) {
	a.asked++
	out := make([][]arena.Answer, len(qs))
	for k, q := range qs {
		for _, text := range q.Others {
			answer := arena.Differs
			if !strings.Contains(text, "b") {
				answer = arena.Same
				a.same[string(a.trees[0][:q.Start])+text+string(a.trees[0][q.End:])] = true
			}
			out[k] = append(out[k], answer)
		}
	}
	return out, nil
}

func TestMovesThatChangeNoValueAreTriedAfterAllOthersAndAGroupLooksOnce(t *testing.T) {
	const text = "def f(a, b):\n    total = 0\n    for x in a:\n        if x > b:\n            total += x\n    return total\n"
	same := map[string]bool{}
	firstSame := func(p *Policy, a *knowing) int {
		a.trees = [][]byte{[]byte(text)}
		a.same = same
		a.task = arena.Task{Role: arena.Fixer, Seed: 1, Steps: 12, Failure: testrun.Failure{Kind: "AssertionError"}, Contexts: []arena.Context{wholeView("f.py", []byte(text)).Context}}
		if _, err := p.Fix(context.Background(), a); err != nil {
			t.Fatal(err)
		}
		for i, tree := range a.trees[1:] {
			if same[string(tree)] {
				return i + 1
			}
		}
		return len(a.trees)
	}
	p := New()
	p.Temperature = 0
	a := &knowing{}
	seeing := firstSame(p, a)
	if firstSame(p, a); a.asked != 1 {
		t.Errorf("two attempts at one bug looked %d times, want once", a.asked)
	}
	q, b := New(), &knowing{}
	q.Temperature, q.Sightless = 0, true
	if blind := firstSame(q, b); b.asked != 0 || seeing <= blind {
		t.Error(fmt.Sprint("a move that changes no value is step ", seeing, " with values and ", blind, " without; asked ", b.asked))
	}
}
