package builtin

import (
	"strings"
	"testing"

	"breakfix/internal/tree"
)

// Comments and the layout within brackets are no part of a program: the rest is.
func TestTheSameTokensAreTheSameProgram(t *testing.T) {
	const src = "def f(a):\n    if a < 1:\n        return g(a)\n    return [\n        a,\n        'x # y']\n"
	edit := func(old, new string) []tree.Edit {
		at := strings.Index(src, old)
		return []tree.Edit{{Start: at, End: at + len(old), New: new}}
	}
	for _, c := range []struct {
		want, old, new string
		same           bool
	}{
		{"def f(a):\n    # Why.\n    if a < 2:\n        return g(a)  # so\n    return [a, 'x # y']\n", "< 1", "< 2", true},
		{"def f(a):\n    if a < 2:\n        return g(a)\n    return [a, 'x # z']\n", "< 1", "< 2", false},
		{"def f(a):\n    if a < 1:\n        return g(a)\n        return [a, 'x # y']\n", "        return g(a)\n", "        return g(a)\n    ", true},
		{"def f(a):\n    if a < 1:\n        return g(a)\n        return [a, 'x # y']\n", "g(a)", "g( a)", false},
		{"def f(a):\n    if a < 1:\n        return gg(a)\n    return [a, 'x # y']\n", "g(", "gg(", true},
		{"def f(a):\n    if a < 1:\n        return g(a)\n\n    else:\n        return 2\n    return [a, 'x # y']\n", "g(a)\n", "g(a)\n    else:\n        return 2\n", true},
	} {
		if got := sameProgram([]byte(src), []byte(c.want))(edit(c.old, c.new)); got != c.same {
			t.Errorf("%q for %q makes\n%s: %v, want %v", c.new, c.old, c.want, got, c.same)
		}
	}
}
