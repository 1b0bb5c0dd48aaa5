package python_test

import (
	"slices"
	"strings"
	"testing"

	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// TestAnEditUnbindsANameThatNothingBindsThen: what stands between « and » is put in the place
// of what stands between ‹ and ›.
func TestAnEditUnbindsANameThatNothingBindsThen(t *testing.T) {
	for _, c := range []struct {
		src  string
		want bool
	}{
		{"def f(a):\n    ‹x = 1«pass»›\n    return x\n", true},
		{"def f(a):\n    ‹x = 1«pass»›\n    x = 2\n    return x\n", false},
		{"def f(a):\n    x = 1\n    if a:\n        ‹x = 2«pass»›\n    return x\n", false},
		{"def f(a):\n    return ‹a«x»›\n    x = 1\n", true}, // bound behind it
		{"def f(a):\n    ‹pass«f += a»›\n", true},           // no longer the f of the module
		{"‹pass«f += 1»›\ndef f(a): return a\n", true},
		{"def f(a): return a\n‹pass«f += 1»›\ndef f(a): return a\n", false},
		{"class C:\n    ‹pass«n = D»›\nclass D: pass\n", true},
		{"class C:\n    def f(self): return ‹1«D»›\nclass D: pass\n", false},
		{"def f(a):\n    for b in a:\n        if b: print(‹b«x»›)\n        x = b\n", false},
		{"def f(a):\n    for b in a: x = b\n    return ‹a«x»›\n", false}, // perhaps
		{"def f(a):\n    return ‹a«b»›\ndef g(b): return b\n", true},
		{"def f(a):\n    return [b for b in a] or ‹a«b»›\n", true},
		{"def f(a):\n    return [‹a«b»› for b in a]\n", false},
		{"def f(a):\n    return [‹a«c»› for b in a if (c := b)]\n", false},
		{"def f(a):\n    g = lambda: ‹a«x»›\n    x = 1\n    return g\n", false},
		{"def f(a):\n    def g(): return ‹a«x»›\n    x = 1\n    return g\n", false},
		{"def f(a):\n    return ‹a«len(a)»›\n", false},
		{"def f(a):\n    return ‹a«__file__»›\n", false},
		{"def f(a):\n    return a.‹a«x»›\n", false},
		{"def f(a):\n    return a(‹b«c»›=1)\n", false},
		{"def f(a):\n    return ‹a«k»›\ndef g():\n    global k\n    k = 1\n", false},
		{"from m import *\ndef f(a):\n    return ‹a«x»›\n", false},
		{"def f(a):\n    ‹return a«import os»›\n    return os\n", false},
		{"def f(a):\n    return ‹a«x»› + y\n", true},  // y was unbound before, x was not
		{"def f(a):\n    return ‹a«y»› + y\n", false}, // no other one than before
		{"def f(a):\n    try: g()\n    except E as e: return ‹a«e»›\nE = OSError\n", false},
		{"def f(a):\n    with a as b: return ‹a«b»›\n", false},
		{"def f(a):\n    match a:\n        case [b, *_]: return ‹a«b»›\n", false},
		{"def f(a):\n    ‹x = 1«x += 1»›\n    return x\n", true},
		{"def f(a):\n    for b in a: ‹x = b«x += b»›\n    return a\n", true},
		{"def f(a):\n    global x\n    for b in a: ‹x = b«x += b»›\n    return a\n", false},
		{"def f(a, x):\n    for b in a: ‹x = b«x += b»›\n    return a\n", false},
		{"def f(a):\n    return ‹a«x»›\n    x = 1\ndef g(): return x\n", true}, // x of f, whatever g reads
		{"def f(a):\n    return ‹a«_»›\ndef g(): return _(1)\n", false},        // put there by others, it seems
		{"def f(a):\n    a[‹0«i»›] = 1\n", true},
		{"class C:\n    n = 1\n    def f(self, k=‹1«n»›): return k\n", false},
		{"class C:\n    n = 1\n    def f(self): return 1\n    ‹pass«m = self.n»›\n", true},
		{"class C:\n    ‹n = 1«pass»›\n    def f(self): return self.n\n", false},
		{"def g(): pass\n‹def h(): pass«pass»›\ndef f(a):\n    return h()\n", true}, // in another function
		{"def g(): pass\ndef h(): pass\ndef f(a):\n    return ‹h«g»›()\n", false},
		{"def f[T](a: T) -> T:\n    b: T = ‹a«T»›\n    return b\n", false},
		{"@‹wraps«cache»›\ndef f(a): return a\nfrom functools import wraps\n", true},
		{"def f(a, b=‹1«a»›): return a\n", true}, // a default does not see the parameters
	} {
		src, edit := marked(t, c.src)
		f, err := python.Python.Parse([]byte(src))
		if err != nil || f.HasError {
			t.Fatalf("does not parse: %v\n%s", err, src)
		}
		if got := python.Python.Unbinds(f, []tree.Edit{edit}); got != c.want {
			t.Errorf("%v, want %v:\n%s", got, c.want, c.src)
		}
	}
}

// marked takes the marks out of a text and gives the edit that they tell.
func marked(t *testing.T, s string) (string, tree.Edit) {
	t.Helper()
	before, rest, ok := strings.Cut(s, "‹")
	old, rest, ok2 := strings.Cut(rest, "«")
	now, rest, ok3 := strings.Cut(rest, "»›")
	if !ok || !ok2 || !ok3 {
		t.Fatalf("no marks in %s", s)
	}
	return before + old + rest, tree.Edit{Start: len(before), End: len(before) + len(old), New: now}
}

func TestUnboundNamesAreThoseThatNothingBinds(t *testing.T) {
	for src, want := range map[string][]string{
		"import os\n\ndef f(a):\n    b = os.path\n    c.go(b, x=a)\n    return d + c + len(a)\n": {"c", "d"},
		"from os import *\n\ndef f(a):\n    return d\n":                                          nil, // it may come from there
		"def f(a):\n    return (lambda x: x + y)(a)\n\n\ny = 1\n":                                nil,
		"def f(a:\n": nil,
	} {
		f, err := python.Python.Parse([]byte(src))
		if err != nil {
			t.Fatal(err)
		}
		if got := python.Python.Unbound(f); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", src, got, want)
		}
	}
}
