package witness_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
	"breakfix/internal/witness"
)

// shop has a function of each kind, and a suite that calls all of them and
// notices little.
var shop = map[string]string{
	"shop.py": `import random
import time


def price(amount, rate=2, *, rounded=False):
    if amount < 10:
        return amount * rate
    total = amount * rate - 1
    return round(total) if rounded else total


def check(name):
    if not name:
        raise ValueError('empty')
    if len(name) > 5:
        raise ValueError('long')
    return name


def pairs(items):
    for i in range(len(items) - 1):
        yield items[i], items[i + 1]


def drop(items, n):
    del items[:n]


async def later(n):
    return n + 1


def when(n):
    return time.time() + n


def luck(n):
    return random.random() + n


def names(words):
    return [w for w in set(words)]


def apply(function, items):
    return [function(i) for i in items if i > 1]


def _inner(s):
    return s.strip() + '!'


def shout(s):
    return _inner(s)


class Basket:
    limit = 3

    def __init__(self, items=()):
        self.items = list(items)
        self.full = False

    def add(self, item):
        self.items.append(item)
        if len(self.items) > 2:
            self.full = True

    def __len__(self):
        return len(self.items)

    def first(self):
        return self.items[0] if self.items else None

    @classmethod
    def of(cls, text, sep=','):
        return cls(text.split(sep))

    @property
    def total(self):
        return sum(self.items)

    def __eq__(self, other):
        return isinstance(other, Basket) and self.items == other.items


ENDINGS = {'fox': 'foxes', 'ox': 'oxen'}


def plural(word):
    return ENDINGS.get(word, word + 's')
`,
	"test_shop.py": `import asyncio

from shop import Basket, apply, check, drop, later, luck, names, pairs, plural, price, shout, when


def big(n):
    return n > 100


def test_calls():
    assert price(3) == 6
    price(20)
    price(20, rounded=True)
    check('abc')
    list(pairs([1, 2]))
    drop([1, 2], 1)
    asyncio.run(later(1))
    when(1)
    luck(1)
    names(['a', 'b', 'c', 'd'])
    apply(big, [3])
    apply(lambda n: n, [3])
    shout('hi')
    plural('cat')


def test_basket():
    b = Basket([5])
    b.add(6)
    len(b)
    b.first()
    b.total
    b == Basket([5])
    Basket.of('a,b')
`,
}

// slow leaves what costs much to BREAKFIX_SLOW.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("BREAKFIX_SLOW") == "" {
		t.Skip("set BREAKFIX_SLOW=1 to run it")
	}
}

var shared bug.Target

func target(t *testing.T) bug.Target {
	t.Helper()
	if shared.Judge == nil {
		shared = bugtest.Prepare(t, shop)
	}
	return shared
}

func edit(t *testing.T, tr *tree.Tree, path, old, now string) *tree.Tree {
	t.Helper()
	src, err := tr.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(src), old) != 1 {
		t.Fatalf("%q stands %d times in %s", old, strings.Count(string(src), old), path)
	}
	out, err := tr.With(map[string]*tree.File{path: tree.Text(strings.Replace(string(src), old, now, 1))})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func find(t *testing.T, tg bug.Target, f *witness.Finder, old, now string) (*witness.Test, string) {
	t.Helper()
	w, reason, err := f.Find(context.Background(), edit(t, tg.Snapshot.Tree, "shop.py", old, now))
	if err != nil {
		t.Fatal(err)
	}
	return w, reason
}

func finder(tg bug.Target) *witness.Finder {
	return witness.New(tg.Judge.(witness.Target), tg.Snapshot.Tree, tg.Paths, witness.Options{Calls: 150})
}

func TestAWitnessIsFoundForEachKindOfCall(t *testing.T) {
	tg := target(t)
	f := finder(tg)
	for _, c := range []struct {
		name, old, now, holds string
		cheap                 bool // CI has it too
	}{
		{"a function", "amount * rate - 1", "amount * rate + 1", "assert price(", false},
		{"an option that no test passes", "amount * rate\n", "amount * abs(rate)\n", "assert price(", true},
		{"an exception", "if not name:", "if name is None:", "with pytest.raises(ValueError)", true},
		{"a message", "'empty'", "'full'", "assert str(caught.value) == 'empty'", false},
		{"a generator", "range(len(items) - 1)", "range(min(len(items), 2) - 1)", "assert list(pairs(", false},
		{"an argument that is changed", "del items[:n]", "del items[:1]", "drop(", true},
		{"a coroutine", "return n + 1", "return n + bool(n)", "assert asyncio.run(later(", false},
		{"a function that is passed", "if i > 1]", "if i > 2]", "assert apply(", false},
		{"a function below another", "s.strip()", "s.lstrip()", "('", false},
		{"a class method", "text.split(sep)", "text.split(',')", "Basket.of(", false},
		{"a method", "self.items[0] if", "self.items[-1] if", ".first()", false},
		{"what a method leaves", "self.full = True", "self.full = None", ".full is True", true},
		{"a constant of the module", "'oxen'", "'oxes'", "assert plural('ox') == 'oxen'", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !c.cheap {
				slow(t)
			}
			w, reason := find(t, tg, f, c.old, c.now)
			if w == nil {
				t.Fatalf("none: %s", reason)
			}
			t.Logf("\n%s", w.Code)
			if !strings.Contains(w.Code, c.holds) {
				t.Errorf("it does not hold %q", c.holds)
			}
			if w.Statements < 1 || w.Statements > 5 {
				t.Errorf("it has %d statements", w.Statements)
			}
			rep, err := tg.Judge.Run(context.Background(), testrun.Request{Tree: tg.Snapshot.Tree, Files: map[string]string{w.Path: w.Code}, FilesOnly: true, HashSeed: 7})
			if err != nil || rep.Results.Get(w.Test) != outcome.Passed {
				t.Errorf("on the base it is %s, %v", rep.Results.Get(w.Test), err)
			}
		})
	}
}

func TestWhatNobodyCanTellHasNoWitnessAndAReason(t *testing.T) {
	tg := target(t)
	f := finder(tg)
	for _, c := range []struct{ name, old, now, says string }{
		{"an equivalent change", "amount * rate\n", "rate * amount\n", "no difference in"},
		{"the clock", "time.time() + n", "time.time() + n + n", "does the same each time"},
		{"randomness", "random.random() + n", "random.random() + 2 * n", "does the same each time"},
		{"the order of a set", "[w for w in set(words)]", "list(set(words))", "no difference in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name != "an equivalent change" && c.name != "the clock" {
				slow(t)
			}
			if w, reason := find(t, tg, f, c.old, c.now); w != nil || !strings.Contains(reason, c.says) {
				t.Errorf("got %+v, %q; want none, %q", w, reason, c.says)
			}
		})
	}
}

func TestCodeThatHangsOrDiesDoesNotHideTheCallsBesideIt(t *testing.T) {
	tg := target(t)
	f := finder(tg)
	for _, c := range []struct{ name, old, now string }{
		{"it hangs", "    total = amount", "    while amount > 20:\n        pass\n    total = 1 + amount"},
		{"it sleeps", "    total = amount", "    if amount > 20:\n        time.sleep(60)\n    total = 1 + amount"},
		{"it kills its process", "    total = amount", "    if amount > 20:\n        import os\n        os.kill(os.getpid(), 9)\n    total = 1 + amount"},
		{"it leaves its process", "    total = amount", "    if amount > 20:\n        import os\n        os._exit(0)\n    total = 1 + amount"},
		{"it takes all memory", "    total = amount", "    if amount > 20:\n        x = 'x' * (1 << 40)\n    total = 1 + amount"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name != "it leaves its process" {
				slow(t)
			}
			w, reason := find(t, tg, f, c.old, c.now)
			if w == nil {
				t.Fatalf("the calls beside it were not made: %s", reason)
			}
			if !strings.Contains(w.Code, "assert price(") {
				t.Errorf("it found\n%s", w.Code)
			}
		})
	}
	if w, reason := find(t, tg, f, "import random\n", "import random\nraise SystemExit\n"); w != nil {
		t.Errorf("a tree that does not load has a witness: %s %s", w.Code, reason)
	}
}
