package python_test

import (
	"strings"
	"testing"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
)

func analyse(t *testing.T, src string) *python.Analysis {
	t.Helper()
	f, err := python.Python.Parse([]byte(src))
	if err != nil || f.HasError {
		t.Fatalf("does not parse: %v\n%s", err, src)
	}
	return python.Analyse(f)
}

// probe returns the argument of the call probe(…) of a text.
func probe(t *testing.T, a *python.Analysis) *lang.Node {
	t.Helper()
	var found *lang.Node
	a.File.Root.Walk(func(n *lang.Node) bool {
		if n.Is("call") && a.File.Text(n.Child("function")) == "probe" {
			found = n.Child("arguments").NamedChildren()[0]
		}
		return true
	})
	if found == nil {
		t.Fatal("no probe")
	}
	return found
}

func TestKindsComeFromLiteralsAnnotationsAndCalls(t *testing.T) {
	for src, want := range map[string]python.Kind{
		"probe(1 + x)":                     python.Number,
		"probe('a' % x)":                   python.Text,
		"probe(b'a')":                      python.Bytes,
		"probe(not x)":                     python.Bool,
		"probe([] or None)":                python.List,
		"probe(1 if x else 'a')":           python.Unknown,
		"probe(x.split(','))":              python.List,
		"probe(', '.join(x))":              python.Text,
		"probe(b'a'.strip())":              python.Bytes,
		"probe(undefined)":                 python.Unknown,
		"def f(x: int): probe(x)":          python.Number,
		"def f(x: 'str | None'): probe(x)": python.Text,
		"def f(x: Optional[Dict[str, int]] = None): probe(x)":                                    python.Dict,
		"def f(x: Union[int, str]): probe(x)":                                                    python.Unknown,
		"def f(x=0.5): probe(x)":                                                                 python.Number,
		"def f(x=None): probe(x)":                                                                python.Unknown,
		"def f(*x): probe(x)":                                                                    python.Tuple,
		"def f():\n x = None\n if y: x = 'a'\n probe(x)":                                         python.Text,
		"def f():\n x = 1\n x = 'a'\n probe(x)":                                                  python.Unknown,
		"def f():\n for i in range(3): probe(i)":                                                 python.Number,
		"def f():\n for i, x in enumerate(y): probe(i)":                                          python.Number,
		"def f():\n for i, x in enumerate(y): probe(x)":                                          python.Unknown,
		"def g(): return 'a'\nprobe(g())":                                                        python.Text,
		"def g() -> int: ...\nprobe(g())":                                                        python.Number,
		"async def g(): return 1\nprobe(g())":                                                    python.Unknown,
		"def g(): yield 1\nprobe(g())":                                                           python.Iterator,
		"class K: pass\nx = K()\nprobe(x)":                                                       "K",
		"class K:\n def __init__(self): self.n = 0\n def m(self): probe(self.n)":                 python.Number,
		"class K:\n def __init__(self): self.n = K.make()\n def m(self): probe(self.n)":          python.Unknown,
		"class K:\n def a(self) -> str: ...\n def m(self): probe(self.a())":                      python.Text,
		"class K:\n @property\n def a(self): return []\n def m(self): probe(self.a)":             python.List,
		"class K:\n def __init__(self): self.q = queue.Queue()\n def m(self): probe(self.q)":     python.Queue,
		"class K:\n def __init__(self): self.l = threading.RLock()\n def m(self): probe(self.l)": python.RLock,
		"class K:\n def __init__(self):\n  self.n = 0\ndef f(k: K): probe(k.n)":                  python.Number,
		"async def f():\n t = asyncio.create_task(g())\n probe(t)":                               python.Task,
		"def f(x):\n x = x\n probe(x)":                                                           python.Unknown,
	} {
		a := analyse(t, src)
		if got := python.NewKinds(a).Of(probe(t, a)); got != want {
			t.Errorf("%q: %q, want %q", src, got, want)
		}
	}
}

func TestANameIsBoundOnlyWhereEveryPathBindsIt(t *testing.T) {
	for src, want := range map[string]bool{
		"x = 1\nprobe(x)":                            true,
		"if a: x = 1\nprobe(x)":                      false,
		"if a: x = 1\nelse: x = 2\nprobe(x)":         true,
		"if a: x = 1\nelse: return\nprobe(x)":        true,
		"if a: x = 1\nelif b: x = 2\nprobe(x)":       false,
		"for x in a: pass\nprobe(x)":                 false,
		"for x in a: probe(x)":                       true,
		"while a:\n x = 1\nprobe(x)":                 false,
		"with a as x: probe(x)":                      true,
		"with a as x: pass\nprobe(x)":                true,
		"try: x = 1\nexcept E: pass\nprobe(x)":       false,
		"try: x = 1\nexcept E: raise\nprobe(x)":      true,
		"try: x = 1\nexcept E: probe(x)":             false,
		"try: x = 1\nexcept E: pass\nelse: probe(x)": true,
		"try: pass\nexcept E as x: probe(x)":         true,
		"try: pass\nfinally: x = 1\nprobe(x)":        true,
		"x = 1\ndel x\nprobe(x)":                     false,
		"import x\nprobe(x)":                         true,
		"def x(): pass\nprobe(x)":                    true,
		"a = x = 1\nprobe(x)":                        true,
		"(a, x) = b\nprobe(x)":                       true,
		"a.x = 1\nif b: x = 1\nprobe(x)":             false,
		"if b:\n x = 1\n if c: probe(x)":             true,
		"x: int\nif b: x = 1\nprobe(x)":              false,
		"x = 1\ndef g():\n probe(x)":                 true,
		"if b: x = 1\ndef g():\n probe(x)":           false,
		"probe([x for x in b])\nif c: x = 1":         true,
	} {
		a := analyse(t, "def f(p):\n    "+strings.ReplaceAll(src, "\n", "\n    ")+"\n")
		n := probe(t, a)
		if n.Is("list_comprehension") {
			n = n.NamedChildren()[0]
		}
		var bound, seen bool
		for _, b := range a.Names(n.Start) {
			if b.Name == "x" {
				bound, seen = a.Bound(b, n), true
			}
		}
		if !seen && want {
			t.Errorf("%q: x is not in scope", src)
		}
		if bound != want {
			t.Errorf("%q: bound is %v, want %v", src, bound, want)
		}
	}
}
