package builtin

import (
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/testrun"
)

// TestWhatAnExceptionIsAboutIsAskedAbout: the repair stands further ahead for the exception, and
// an exception about something else leaves it where it was.
func TestWhatAnExceptionIsAboutIsAskedAbout(t *testing.T) {
	const (
		list  = "def last(node, n):\n    while n > 0:\n        node = node.after\n        n -= 1\n    return node.value\n"
		queue = "def walk(start, seen):\n    queue = [start]\n    while True:\n        node = queue.pop(0)\n        seen.append(node.name)\n        queue.extend(node.kids)\n    return seen\n"
		mean  = "def mean(xs, scale):\n    if scale < 0:\n        return 0\n    return sum(xs) / scale\n"
		ways  = "def ways(coins, left):\n    if left < 0:\n        return 0\n    one, *rest = coins\n    return ways(rest, left) + ways(coins, left - one)\n"
		half  = "def sort(xs):\n    if len(xs) == 0:\n        return xs\n    at = len(xs) // 2\n    return merge(sort(xs[:at]), sort(xs[at:]))\n"
	)
	for _, c := range []struct {
		src, old, new string
		kind, message string
		line          int
	}{
		{list, "n > 0", "n > 0 and node is not None", "AttributeError", "'NoneType' object has no attribute 'after'", 3},
		{queue, "True", "queue", "IndexError", "pop from empty list", 4},
		{mean, "scale < 0", "scale <= 0", "ZeroDivisionError", "division by zero", 4},
		{ways, "left < 0", "left < 0 or not coins", "ValueError", "not enough values to unpack (expected at least 1, got 0)", 4},
		{half, "== 0", "<= 1", "RecursionError", "maximum recursion depth exceeded", 5},
	} {
		right := []byte(strings.Replace(c.src, c.old, c.new, 1))
		place := func(f testrun.Failure) int { return suspectedPlace(c.src, right, f) }
		frames := []testrun.Frame{{Path: "f.py", Line: 1}, {Path: "f.py", Line: c.line}}
		told := place(testrun.Failure{Kind: c.kind, Message: c.message, Frames: frames})
		other := place(testrun.Failure{Kind: c.kind, Message: c.message, Frames: []testrun.Frame{{Path: "g.py", Line: c.line}}})
		untold := place(testrun.Failure{Kind: "AssertionError", Message: "assert 1 == 2", Frames: frames})
		t.Logf("%s for %s: %d, elsewhere %d, another exception %d", c.new, c.old, told, other, untold)
		if told == 0 || told >= untold {
			t.Errorf("%s: %q for %q is at place %d, without the exception at %d", c.kind, c.new, c.old, told, untold)
		}
	}
}

// suspectedPlace is the place of a repair of a file, all of it suspected, by the hand-set prior.
func suspectedPlace(src string, right []byte, f testrun.Failure) int {
	v := View{Path: "f.py", Source: []byte(src), Failure: f, Context: arena.Context{Path: "f.py", FirstLine: 1, LastLine: strings.Count(src, "\n")}}
	for l := 1; l <= v.Context.LastLine; l++ {
		v.Suspects = append(v.Suspects, arena.Suspect{Path: "f.py", Line: l, Score: 1})
	}
	return RankOf(v, right, nil)
}

func TestATextAsksAboutAnExpressionAsAWhole(t *testing.T) {
	for text, want := range map[string]bool{
		"node is None": true, "x > 1 or not node": true, "if node:\n    return": true, "len(node) > 0": true, "node": true, "node != 0": true,
		"nodes is None": false, "a.node is None": false, "node.kids is None": false, "node + 1": false, "f(node)": false, "": false,
	} {
		if got := asks(text, []string{"node"}); got != want {
			t.Errorf("%q asks about node: %v", text, got)
		}
	}
}

// TestATruthThatIsReturnedMayHaveToBeAsked, of what the function knows.
func TestATruthThatIsReturnedMayHaveToBeAsked(t *testing.T) {
	const src = "def closed(text):\n    depth = 0\n    for c in text:\n        depth += c == '('\n        depth -= c == ')'\n    return True\n"
	v := View{Path: "f.py", Source: []byte(src), Context: arena.Context{Path: "f.py", FirstLine: 1, LastLine: 6}}
	if RankOf(v, []byte(strings.Replace(src, "True", "depth == 0", 1)), nil) == 0 {
		t.Error("depth == 0 is no move in the place of what is returned")
	}
}
