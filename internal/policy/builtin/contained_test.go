package builtin

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"breakfix/internal/arena"
)

func TestFunctionsThatChangeNothingOutsideMayBeCalledToLook(t *testing.T) {
	for text, want := range map[string]string{
		"def f(a, b):\n    return f(b, a % b) if b else a\n":                                                             "f",
		"def f(xs):\n    out = []\n    for x in xs:\n        out.append(x)\n    return sorted(out)\n":                    "f",
		"def f(xs):\n    xs.append(1)\n    return xs\n":                                                                  "",
		"def f(xs):\n    ys = xs\n    ys.append(1)\n    return ys\n":                                                     "",
		"def f(xs):\n    ys = []\n    ys = xs\n    ys.append(1)\n    return ys\n":                                        "",
		"def f(xs):\n    xs += [1]\n    return xs\n":                                                                     "",
		"def f(n):\n    n -= 1\n    return n\n":                                                                          "f",
		"def f(xs):\n    xs[0] = 1\n":                                                                                    "",
		"def f(n):\n    d = {}\n    d[n], m = 1, 2\n    return d\n":                                                      "f",
		"def f(o):\n    o.x = 1\n":                                                                                       "",
		"seen = []\ndef f(n):\n    seen.append(n)\n":                                                                     "",
		"def f(n):\n    global m\n    m = n\n":                                                                           "",
		"def f(n):\n    print(n)\n":                                                                                      "",
		"def f(n):\n    return g(n)\ndef g(n):\n    return h(n)\ndef h(n):\n    print(n)\n":                              "",
		"def f(n):\n    return g(n)\ndef g(n):\n    if n:\n        return f(n - 1)\n    return 0\n":                      "f g",
		"def f(n):\n    yield n\n":                                                                                       "",
		"async def f(n):\n    return n\n":                                                                                "",
		"@cache\ndef f(n):\n    return n\n":                                                                              "",
		"def f(n):\n    return n\ndef f(n):\n    return 1\n":                                                             "",
		"def f(n):\n    return n\ndef g(f):\n    return f(1)\n":                                                          "",
		"def f(n):\n    try:\n        return 1 / n\n    except ZeroDivisionError as e:\n        raise ValueError('n')\n": "f",
		"def f(xs):\n    def g(lo, hi):\n        if lo < hi:\n            return g(lo + 1, hi)\n        return lo\n    return g(0, len(xs))\n": "f g",
		"def f(xs):\n    out = []\n    def g(x):\n        out.append(x)\n    for x in xs:\n        g(x)\n    return out\n":                     "",
		"def f(n):\n    with open(n) as g:\n        return g.read()\n":                                                                         "",
		"class C:\n    def f(self):\n        return 1\n":                                                                                       "",
	} {
		src := []byte(text)
		if got := strings.Join(slices.Sorted(maps.Keys(contained(parse("f.py", src), src))), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestCallsOfOwnFunctionsAreAskedAboutBesideWhatIsWithin(t *testing.T) {
	const text = "def f(a, b):\n    if f(b, 1):\n        return a\n    return 1 + f(a - 1, b)\n"
	v := wholeView("f.py", []byte(text))
	questions, of, calling := questionsOf(v, Candidates(v))
	var got []string
	for _, q := range questions {
		got = append(got, text[q.Start:q.End])
	}
	if want := []string{"1 + f(a - 1, b)", "b", "1", "a", "1", "a - 1", "b"}; calling != 1 || !slices.Equal(got, want) || len(of) != len(want) {
		t.Errorf("%q, %d of them calls, want %q and one", got, calling, want)
	}
	for _, c := range []struct{ larger, smaller, want arena.Answer }{
		{arena.Wanted, arena.Differs, arena.Wanted}, {arena.Wanted, arena.Same, arena.Wanted}, {arena.Differs, arena.Same, arena.Same},
		{arena.Breaks, arena.Differs, arena.Differs}, {arena.Breaks, arena.Unknown, arena.Breaks}, {arena.Partly, arena.Fits, arena.Fits},
	} {
		if got := weightier(c.larger, c.smaller); got != c.want {
			t.Errorf("%v of the larger and %v of the smaller expression: %v, want %v", c.larger, c.smaller, got, c.want)
		}
	}
}

// shy is an arena that cannot look where own functions are called.
type shy struct {
	neverGreen
	asked []int
}

func (a *shy) Values(_ context.Context, qs []arena.Question, _ []string) ([][]arena.Answer, error) {
	a.asked = append(a.asked, len(qs))
	var out [][]arena.Answer
	for _, q := range qs {
		if q.Own != nil {
			return nil, nil
		}
		out = append(out, slices.Repeat([]arena.Answer{arena.Early}, len(q.Others)))
	}
	return out, nil
}

func TestWhereCallsCannotBeLookedAtTheRestIs(t *testing.T) {
	const text = "def f(a, b):\n    return 1 + f(a - 1, b)\n"
	v, a := wholeView("f.py", []byte(text)), &shy{}
	cs := Candidates(v)
	answers, err := answered(context.Background(), a, v, cs)
	if err != nil || len(a.asked) != 2 || a.asked[1] != a.asked[0]-1 {
		t.Fatalf("asked about %v expressions (%v), want all, then all but the call", a.asked, err)
	}
	for i, c := range cs {
		inside := c.Edits[0].Start >= strings.Index(text, "a - 1") && c.Edits[len(c.Edits)-1].End <= strings.Index(text, ", b)\n")
		if got := answers[i]; inside && i < mostAsked && got != arena.Early && c.Edits[0].New != "" {
			t.Errorf("%s is told to be %v", c.What(), got)
		}
	}
	if len(answers) == 0 {
		t.Error("nothing is told")
	}
}
