package builtin

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"breakfix/internal/tree"
)

func TestAWayBackIsOneMoveOrTwoOrNone(t *testing.T) {
	const right = "def f(xs, n):\n    out = []\n    for x in xs:\n        if x > n and x not in out:\n            out.append(x)\n    return sorted(out)\n"
	for _, c := range []struct {
		old, new string
		moves    int
	}{
		{"x > n and", "x >= n and", 1},
		{" and x not in out", "", 1},
		{"sorted(out)", "out", 1},
		{"return sorted(out)", "return out", 1},
		{"out = []\n    for x in xs:\n        if x > n and x not in out:\n            out.append(x)\n    return sorted(out)", "return None", 0},
	} {
		broken := strings.Replace(right, c.old, c.new, 1)
		if w := WayTo(wholeView("f.py", []byte(broken)), []byte(right)); w.Moves != c.moves || len(w.What) != c.moves {
			t.Errorf("%q for %q: %d moves %v, want %d", c.new, c.old, w.Moves, w.What, c.moves)
		}
	}
	two := strings.Replace(strings.Replace(right, "x > n and", "x >= n and", 1), "sorted(out)", "out", 1)
	if w := WayTo(wholeView("f.py", []byte(two)), []byte(right)); w.Moves != 2 {
		t.Errorf("two damages are %d moves %v, want 2", w.Moves, w.What)
	}
}

func TestTokensSurviveWhereTheBrokenTextHasThemToo(t *testing.T) {
	for _, c := range []struct {
		broken, right string
		want          bool
	}{
		{"return a", "return a + 7", false},
		{"return a + 7", "return 7 - a", true},
		{"return a", "return not len(a)", true}, // what is the language's
		{"return a.x", "return a.y", false},
	} {
		if got := Survives([]byte(c.broken), []byte(c.right)); got != c.want {
			t.Errorf("%q from %q: %v, want %v", c.right, c.broken, got, c.want)
		}
	}
}

// A way back is told from its place before anything is edited: that must be the
// answer of editing.
func TestAWayBackIsWhatMakesTheRightText(t *testing.T) {
	ways := 0
	for _, right := range [][]byte{[]byte(lessons), []byte("def f(a):\n    b = aa(a, a)\n\n    return [b, b, b]\n")} {
		for _, broken := range Damages("f.py", right, 60, rand.New(rand.NewPCG(5, 1))) {
			g := generate(wholeView("f.py", broken), true)
			if g == nil {
				continue
			}
			back := wayBack(broken, right)
			for _, c := range g.ranked() {
				made, err := tree.ApplyEdits(broken, c.Edits)
				want := err == nil && bytes.Equal(squeezed(made), squeezed(right))
				if got := back(c.Edits); got != want {
					t.Fatalf("%q is a way back: %v, want %v, from\n%s", c.What, got, want, broken)
				}
				if want {
					ways++
				}
			}
		}
	}
	if ways < 60 {
		t.Errorf("%d ways back, of 120 damages", ways)
	}
}

func TestDamagesAreDifferentAndFollowFromTheSeed(t *testing.T) {
	const text = "def f(a, b):\n    if a < b:\n        return a + 1\n    return b\n"
	draw := func(seed uint64) [][]byte { return Damages("f.py", []byte(text), 10, rand.New(rand.NewPCG(seed, 1))) }
	one, again, other := draw(1), draw(1), draw(2)
	seen := map[string]bool{text: true}
	same := true
	for i, d := range one {
		if seen[string(d)] {
			t.Errorf("damage %d came before or is none:\n%s", i, d)
		}
		seen[string(d)] = true
		if string(again[i]) != string(d) {
			t.Errorf("damage %d differs with the same seed", i)
		}
		same = same && i < len(other) && string(other[i]) == string(d)
	}
	if len(one) != 10 || same {
		t.Errorf("%d damages, the same with another seed: %v", len(one), same)
	}
}

// The function is of HumanEval (MIT), and one of those that weights are judged by.
func TestFunctionsThatJudgeAreNotTaught(t *testing.T) {
	const held = "from typing import List\n\n\ndef rolling_max(numbers: List[int]) -> List[int]:\n    \"\"\" Whatever it says. \"\"\"\n    running_max = None\n    result = []\n\n    for n in numbers:\n" +
		"        if running_max is None:\n            running_max = n\n        else:\n            running_max = max(running_max, n)  # a comment\n\n        result.append(running_max)\n\n    return result\n"
	free := strings.Replace(held, "is None", "is not None", 1)
	if n := NewCorruptor([]Text{{"held.py", []byte(held)}}, 1).Functions(); n != 0 {
		t.Errorf("a function that judges is learned from: %d", n)
	}
	if n := NewCorruptor([]Text{{"free.py", []byte(free)}}, 1).Functions(); n != 1 {
		t.Errorf("another function is not learned from: %d", n)
	}
	if len(heldOut) < 60 {
		t.Errorf("%d functions are held out, want those of the sample", len(heldOut))
	}
}
