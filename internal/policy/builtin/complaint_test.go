package builtin

import (
	"strings"
	"testing"

	"breakfix/internal/testrun"
)

// TestARepairChangesWhatIsComplainedOf: it stands further ahead than with another exception of
// that kind at the same line.
func TestARepairChangesWhatIsComplainedOf(t *testing.T) {
	const (
		clock = "class Clock:\n    def __init__(self, time):\n        self.__time = time\n        self.zone = time\n\n    def now(self):\n        return self.__timer() + self.zone\n"
		add   = "def fill(xs, out):\n    for x in xs:\n        out.add(x)\n    out.append(None)\n    return out\n"
		other = "def drop(self, key):\n    old = self.items[key]\n    self.size -= self.weigh(old)\n    self.ttl.pop(key)\n    if not self.items:\n        self.size = 0\n    return old\n"
		call  = "def area(w, h):\n    return w * h\n\ndef box(w, h, d):\n    return area(w) * d\n"
		named = "class Signer:\n    def unsign(self, value, age=0):\n        return value\n\n    def check(self, value, age):\n        self.sign(value)\n        return self.sign(value or self.key, age=age - self.skew)\n\n    def sign(self, value):\n        return self.unsign(value)\n"
		limit = "def between(low, high):\n    if low > high:\n        raise ValueError(low)\n    return list(range(low, high))\n"
	)
	for _, c := range []struct {
		src, old, new string
		kind, message string
		untold        string // another message
		line          int
	}{
		{clock, "self.__time =", "self.__timer =", "AttributeError", "'Clock' object has no attribute '_Clock__timer'", "unreadable", 7},
		{add, "out.add", "out.append", "AttributeError", "'list' object has no attribute 'add'", "unreadable", 3},
		{other, "self.ttl.pop", "self.items.pop", "AttributeError", "'int' object has no attribute 'pop'", "unreadable", 4},
		{call, "area(w)", "area(w, h)", "TypeError", "area() missing 1 required positional argument: 'h'", "'h' is missing", 5},
		{named, "sign(value or", "unsign(value or", "TypeError", "Signer.sign() got an unexpected keyword argument 'age'", "'age' of Signer.sign unexpected", 7},
		{limit, "low > high", "low >= high", "Failed", "DID NOT RAISE <class 'ValueError'>", "ValueError", 0},
		{limit, "low > high", "low >= high", "AssertionError", "ValueError not raised", "ValueError", 0},
		{limit, "low > high", "low < high", "ValueError", "3", "", 3},
	} {
		right := []byte(strings.Replace(c.src, c.old, c.new, 1))
		place := func(message string, line int) int {
			return suspectedPlace(c.src, right, testrun.Failure{Kind: c.kind, Message: message, Frames: []testrun.Frame{{Path: "f.py", Line: line}}})
		}
		untold := place(c.untold, c.line)
		if c.untold == "" {
			untold = place(c.message, 2) // raised elsewhere
		}
		told := place(c.message, c.line)
		t.Logf("%s for %s: %d, else %d", c.new, c.old, told, untold)
		if told == 0 || told >= untold {
			t.Errorf("%s: %s: %q for %q is at place %d, else at %d", c.kind, c.message, c.new, c.old, told, untold)
		}
	}
}

func TestANameIsFoundAsAWhole(t *testing.T) {
	for text, want := range map[string]bool{"x": true, "a.x = 1": true, "(x)": true, "xx x": true, "xx": false, "a_x": false, "": false} {
		if got := hasWord(text, "x"); got != want {
			t.Errorf("%q has x: %v", text, got)
		}
	}
}

// TestWeightsAreToldWhatMeetsTheComplaint: as an input, of which weights that look at red tests
// learn what it is worth.
func TestWeightsAreToldWhatMeetsTheComplaint(t *testing.T) {
	v := wholeView("f.py", []byte("def fill(xs, out):\n    for x in xs:\n        out.add(x)\n    out.append(None)\n    return out\n"))
	inputs := func(f testrun.Failure) map[string]int {
		v.Failure = f
		g := generate(v, false)
		cs := g.ranked()
		n := map[string]int{}
		for i, m := range g.poseAs(v, cs).Moves {
			n[cs[i].What()] = len(m.Hash)
		}
		return n
	}
	frames := []testrun.Frame{{Path: "f.py", Line: 3}}
	told := inputs(testrun.Failure{Kind: "AttributeError", Message: "'list' object has no attribute 'add'", Frames: frames})
	untold := inputs(testrun.Failure{Kind: "AttributeError", Message: "nothing of the kind", Frames: frames})
	const right, wrong = "attribute: add → append", "attribute: append → add"
	if told[right] <= untold[right] || untold[right] == 0 {
		t.Errorf("%s has %d inputs with the complaint and %d without", right, told[right], untold[right])
	}
	if told[wrong] != untold[wrong] || told[wrong] == 0 {
		t.Errorf("%s, elsewhere, has %d inputs with the complaint and %d without", wrong, told[wrong], untold[wrong])
	}
}
