package builtin

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"breakfix/internal/policy"
)

const shelves = `import functools

class Shelf:
    """Of books."""

    @functools.lru_cache(
        maxsize=3)
    def secret(self, hidden, other):
        if hidden > other:
            return hidden - other
        return 0

    def put(self, name, book):
        if name not in self.books:
            self.books[name] = []

        self.books[name].append(book)
        return len(self.books[name])


def text(shelf):
    out = """
one
"""
    for name in shelf.books:
        out += name
    return out
`

func TestWhatIsHeldOutIsNeitherLearnedFromNorSeen(t *testing.T) {
	of := functionsOf(policy.Text{Path: "shelf.py", Source: []byte(shelves), HeldOut: [][2]int{{8, 11}}})
	var names []string
	for _, f := range of {
		names = append(names, strings.Split(string(f.text), "(")[0])
		if strings.Contains(string(f.file), "hidden") || strings.Contains(string(f.file), "lru_cache(") {
			t.Errorf("around %s stands\n%s", f.text, f.file)
		}
	}
	if strings.Join(names, ", ") != "def put, def text" {
		t.Fatalf("learned from are %s", names)
	}
	put, text := of[0], of[1]
	if parse("shelf.py", put.file) == nil || put.indent != "    " || !bytes.HasPrefix(put.text, []byte("def put(self, name, book):\n    if name")) {
		t.Errorf("%q in\n%s", put.text, put.file)
	}
	broken := bytes.Replace(put.text, []byte("not in"), []byte("in"), 1)
	if now, want := put.within(broken), strings.Replace(string(put.file), "not in", "in", 1); string(now) != want {
		t.Errorf("in its place it is\n%s", now)
	}
	if !same(text.within(text.text), text.file) {
		t.Errorf("a function at the left margin is not what it was in\n%s", text.within(text.text))
	}
}

// Put in again it would have other indentation, and so another string.
func TestAFunctionWithTextAtTheLeftMarginIsLookedAtAlone(t *testing.T) {
	src := "class C:\n" + strings.ReplaceAll("    def text(self):\n        return \"\"\"\n    one\ntwo\"\"\" + self.rest\n", "\n    one", "\none")
	of := functionsOf(policy.Text{Path: "c.py", Source: []byte(src)})
	if len(of) != 1 {
		t.Fatalf("%d functions, want 1", len(of))
	}
	if of[0].file != nil {
		t.Errorf("it is looked at in\n%s", of[0].file)
	}
}

// Its functions are learned from all the same.
func TestOfALargeFileFunctionsAreLookedAtAlone(t *testing.T) {
	for _, c := range []struct {
		padding int
		within  bool
	}{{0, true}, {mostAround, false}, {5 * mostAround, false}} {
		src := shelves + strings.Repeat("x = [1]\n", c.padding/8)
		of := functionsOf(policy.Text{Path: "shelf.py", Source: []byte(src)})
		if len(of) != 3 {
			t.Fatalf("%d functions of a file of %d bytes, want 3", len(of), len(src))
		}
		if (of[0].file != nil) != c.within {
			t.Errorf("in a file of %d bytes they are looked at within it: %v", len(src), !c.within)
		}
	}
}

func TestDamagesAreLookedAtAloneAndInTheirFile(t *testing.T) {
	c := NewCorruptor([]policy.Text{{Path: "shelf.py", Source: []byte(shelves)}}, 4)
	f := &c.of[1]
	broken := bytes.Replace(f.text, []byte("not in"), []byte("in"), 1)
	alone, within := 0, 0
	for range 60 {
		v, right := c.viewOf(f, broken)
		if ex := ExampleOf(v, right, negatives, c.random); ex == nil {
			t.Fatalf("no way back in\n%s", v.Source)
		}
		if same(right, f.text) {
			alone++
			continue
		}
		within++
		if lines := v.Context; lines.WindowFirst > 14 || lines.WindowLast < 14 || lines.WindowLast > 20 {
			t.Errorf("the place of the change is told to be lines %d to %d", lines.WindowFirst, lines.WindowLast)
		}
	}
	if alone < 15 || within < 15 {
		t.Errorf("%d alone and %d within their file", alone, within)
	}
}

// What is kept stands for all moves: the foremost each for itself, of the others each for its share.
func TestAnExampleKeepsTheForemostMovesAndStandsForAll(t *testing.T) {
	v := wholeView("pkg/lessons.py", []byte(strings.Replace(lessons, "value > high", "value >= high", 1)))
	g := generate(v, true)
	all := g.ranked()
	if len(all) < 3*negatives {
		t.Fatalf("%d moves are too few to tell", len(all))
	}
	r, sum, kept := rand.New(rand.NewPCG(1, 2)), 0.0, 0
	const times = 40
	for range times {
		ex := ExampleOf(v, []byte(lessons), negatives, r)
		for i, m := range ex.Problem.Moves {
			if i < foremost && m.Base != 0 {
				t.Fatalf("move %d of the foremost stands for %v", i, math.Exp(float64(m.Base)))
			}
			sum += math.Exp(float64(m.Base))
		}
		kept += len(ex.Problem.Moves)
	}
	if mean := sum / times; math.Abs(mean/float64(len(all))-1) > 0.1 {
		t.Errorf("what is kept stands for %.0f moves of %d", mean, len(all))
	}
	if mean := kept / times; mean < negatives-20 || mean > negatives+20 {
		t.Errorf("%d moves are kept", mean)
	}
}
