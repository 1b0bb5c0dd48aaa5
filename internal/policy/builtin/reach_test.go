package builtin

import (
	"math/rand/v2"
	"strings"
	"testing"

	"breakfix/internal/tree"

	"breakfix/internal/policy"
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
		{"    return sorted(out)\n", "    if out:\n        return sorted(out)\n", 1},
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

// What the operators of the bank take away comes back from what else stands in the file.
func TestWhatWasTakenOutComesBackFromTheRestOfTheFile(t *testing.T) {
	const class = `class Cache:
    def __init__(self, size, lock=None, cond=None):
        self.size = size
        self.lock = lock if lock is not None else self.none
        self.cond = cond if cond is not None else self.none
        self.links = {}

    def none(self):
        return hash(self.size)

    def flush(self):
        for key in self.links:
            self.drop(key)

    def close(self, handle):
        self.flush()
        handle.close()

    def drop(self, key):
        if key in self.links:
            del self.links[key]

    def state(self):
        return (self.flush, (self.size, self.links))

    def pair(self):
        return (None, self.size)

    def expires(self, time):
        end = time + self.size
        return end

    def names(self):
        return set(self.read() or {})
`
	const loose = `from itertools import filterfalse


def remove(predicate, seq):
    return filterfalse(predicate, seq)


def padded(args, n, kwargs=None, fset=None):
    pad = (None,) * (n - len(args))
    args = (n,) + args
    if kwargs is None:
        kwargs = {}
    return make(args + pad, fset=fset, kwargs=kwargs)


def ends(seq, one):
    try:
        for two in seq:
            if one in seq:
                continue
            one.add(two)
        return (seq.start + seq.stop)
    except KeyError:
        return None
    except ValueError:
        return seq.stop


def chosen(order, one, two, *rest, **more):
    if not (one in order):
        left = next(order)
    else:
        left = next(two)
    while order and (order[0] or not (one < two)):
        order.pop(one, *rest, **more)
    return left
`
	const apart = `import codecs

SEP = b"."
LIMIT = codecs.lookup("ascii").name.encode("ascii", "strict")


def salted(text, other, mode="plain"):
    if other is text:
        return -len(text)
    return text + "salted" + other


def opened(name, mode, **extra):
    if name in extra and mode == "salted":
        extra.pop(name, None)
        raise KeyError(name)
    table = extra.get("table", None) or codecs.lookup(name)
    return codecs.open(name, mode, **extra)


def listed(name, mode, **extra):
    found = extra.get(name, None)
    if found is None:
        found = codecs.lookup(name)
    if name in extra and mode == "plain":
        extra.pop(name, None)
        raise KeyError(name)
    rows = [found, lambda: None, LIMIT]
    return name.encode("ascii", "strict"), rows


def keyed(rows):
    rows.sort(key=lambda: None)
    return isinstance(rows, list)
`
	const handed = `import pathlib
from enum import IntEnum

NAMES = (
    "a",
    pathlib.Path("b"),
    pathlib.Path("c"),
)
KINDS = [pathlib.PurePath, pathlib.PurePath]


class Kind(IntEnum):
    A = 1
    B = 2
    C = A | B


def read(name, mode, encoding, width):
    with open(name, mode) as f:
        for line in f:
            if line.lower().find(mode) > 0:
                show(line, width=width)
    return sort(name, key=lambda x: str(x))


def gather(name, keep=None):
    """Gathers."""
    low = name.lower()
    show(low, 0)
    show(low, 1)
    show(low, 2)
    show(low, 3)
    seen: list[str] = []
    keep = [] if keep is None else keep
    show(low, encoding=low)
    return make(seen, [low, low])


def other(name):
    rest: list[str] = []
    with gather(name) as f:
        f.close()
    return rest, (name.A, name.A)


def later(one, two, default):
    start = one.lower()
    end = two.lower()
    if not (start or one.find(end) is None):
        return sum(one.get(x) is not None for x in two)
    show(width=one.year if one.year is not None else two.year)
    found = default.month if one.month is None else one.month
    write(start, found=found)
    return (start, end)
`
	const held = `from functools import wraps

NAMES = {"one": ",", "two": ","}
OTHER = {
    "two": ",",
    "six": ".",
}
NINE = {"nine": 9}


def kept(function, than):
    @wraps(function)
    def inner(*args):
        return function(*args)

    return inner


class Store:
    guard_lock = make()

    def bump(self, key, least, most, strict):
        with Store.guard_lock:
            a = self.one(key)
            b = self.two(a)
            c = self.one(b)
            d = self.two(c)
            e = self.one(d)
            f = self.two(e)
            self.rows = f
        if most is not None and least is not None and most < least:
            key = least
        key = key and strict
        if not (strict or key):
            return least * 7 + most * 2
        return self.one(key)
`
	const roomy = `try:
    from collections.abc import MutableSet
except ImportError:
    from collections import MutableSet
from functools import total_ordering

LIMIT = "%(prog)s "
NAMES = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
]


def shown(kind):
    return kind == "ninth" or LIMIT.format(kind)


class TableInterrupted(Exception):
    pass


class Table:
    kinds = frozenset({
        "first",
        "second",
    })

    @total_ordering
    @classmethod
    def open(cls, rows, width):
        cls.grid[0, 1] = width
        for name in cls.names:
            show(name, width=width, rows=rows)
            show(name, bytes(width).hex(), Table.known(name), cls.names)
        if not width:
            width = cls.grid
        if width or Table.known(width):
            raise TableInterrupted
        cls.grid[0, 0] = 0
        return cls(rows, width)

    def fill(self, rows, width, *args, **more):
        delete = self.delete
        self.width = width
        self.total = 0
        for key, value in rows:
            self.index[key] = value
        delete(rows, width)
        if not rows or len(rows) != 1 or any(not row or len(row) != 3 for row in rows):
            return (None, None)
        kind = rows.kind
        if self.width and self.total and self.index[width]:
            return self.open(*args, **more)
        return list(enumerate(width))
`
	const asking = `import contextlib
import paths
from functools import total_ordering

LIMIT = 9


class Styles:
    level_low: str
    level_top: str

    def shown(self, styles, kind):
        return {"kind": kind, "top": styles.level_top}


@total_ordering
class Hook:
    def __init__(self, name: list[str], kind, limit=None):
        self.names: list[str] = []
        self.name = name
        self.kind = kind
        self.rows = {}
        self.limit = limit if limit is not None else LIMIT

    def made(self, name, low, top):
        hook = Styles(low, self.kind)
        setattr(hook, self.name + "_made", top)
        self.rows.clear()
        return hook

    def kept(self, key, low, top):
        if isinstance(key, (str, int)):
            return self.rows.pop(key, ())
        elif top is None:
            found = low
        else:
            found = key
        return Styles(found, True)

    def values(self, low, top):
        return paths.values(low, top)

    def worth(self, low, top):
        for key, value in self.rows.items():
            if key == low:
                return key, value, top
        try:
            return Styles.level_top[low], Hook(self, args=(), kind=low)
        except ImportError:
            return low.level_top
        except TypeError:
            return top - low

    def chosen(self, low, top):
        low = self.__made(low, top)
        if low.level_low:
            top = None
        else:
            top = self.made(low, top)
        return Hook(top, low)

    def __made(self, *rows):
        return rows

    def cached(self, low, top):
        if low in self.names:
            return self.names[low]
        return top

    def flushed(self, low):
        with contextlib.suppress(ValueError):
            out = self.made(low)
            low.write(out)
            self.rows.update(out)


def text(low, top):
    if type(low) is bytes:
        return low
    if top not in low:
        low.add(top)
    return low.decode(top)
`
	const settled = `import codecs

SKIP = object()


class Rows:
    pass


class Table:
    def __init__(self, config, rows, plain):
        self.config = config
        self.rows = rows or Rows()
        self.plain = plain
        self.width = self.config.get("width")

    @property
    def strict(self):
        return self.config.get("strict", self.plain)

    def __unknown(self, field):
        self.rows.pop(field)

    def read(self, name, low, top):
        out = ("^(" + low + "]|%s)*$" % top)
        try:
            codecs.lookup(name)
        except UnicodeDecodeError as e:
            out = [e]
        return list(self.merge(
            low,
            top,
        ))

    def merge(self, low, top, *more):
        for field in low:
            if field is SKIP:
                continue
            if not isinstance(top[field], int):
                continue
            if field in self.rows:
                self.rows[field] = top[field]
            else:
                self.__unknown(field)
        if low == top:
            low = None
        elif not low and top:
            low = top
        else:
            low = [low]
        return [field for field in low if field in top and field not in self.rows] + more
`
	body := held[strings.Index(held, "            a = "):strings.Index(held, "        if most")]
	inside, outside := "        with Store.guard_lock:\n"+body, strings.ReplaceAll(body, "            ", "        ")
	for _, c := range []struct {
		right, old, new string
		moves           int
	}{
		{settled, "rows or Rows()", "rows", 1},
		{settled, `self.config.get("strict", self.plain)`, "None", 1},
		{settled, `"^(" + low + "]|%s)*$" % top`, `("]|%s)*$" % top) + ("^(" + low)`, 1},
		{settled, "except UnicodeDecodeError as e", "except KeyError as e", 1},
		{settled, "list(self.merge(\n            low,\n            top,\n        ))", "self.merge(\n            low,\n            top,\n        )", 1},
		{settled, "            if field is SKIP:\n                continue\n", "", 1},
		{settled, "            if not isinstance(top[field], int):\n                continue\n", "", 2},
		{settled, "            else:\n                self.__unknown(field)\n", "", 1},
		{settled, "        elif not low and top:\n            low = top\n", "", 2},
		{settled, " + more", "", 1},
		{asking, "(str, int)", "(str, )", 1},
		{asking, "Styles(found, True)", "Styles(found)", 1},
		{asking, "    if type(low) is bytes:\n        return low\n", "", 2},
		{asking, "    if top not in low:\n        low.add(top)\n", "    low.add(top)\n", 1},
		{asking, "        else:\n            found = key\n", "", 1},
		{strings.Replace(asking, "        else:\n            found = key\n", "", 1), "        elif top is None:\n            found = low\n", "", 2},
		{asking, "        hook = Styles(low, self.kind)\n", "", 2},
		{asking, "        if low in self.names:\n            return self.names[low]\n", "", 2},
		{asking, "        self.rows.clear()\n", "", 1},
		{asking, "        else:\n            top = self.made(low, top)\n", "", 1},
		{asking, "        low = self.__made(low, top)\n", "", 1},
		{asking, "    def __init__(self, name: list[str], kind, limit=None):\n        self.names: list[str] = []\n", "    names = []\n    def __init__(self, name: list[str], kind, limit=None):\n", 2},
		{asking, "self.name + \"_made\"", "\"_made\"", 1},
		{asking, "{\"kind\": kind, ", "{", 1},
		{asking, "        with contextlib.suppress(ValueError):\n            out = self.made(low)\n            low.write(out)\n            self.rows.update(out)\n",
			"        contextlib.suppress(ValueError)\n        out = self.made(low)\n        low.write(out)\n        self.rows.update(out)\n", 1},
		{asking, "@total_ordering\n", "", 1},
		{asking, "styles.level_top", "styles.level_low", 1},
		{asking, "limit if limit is not None else LIMIT", "limit", 1},
		{asking, "paths.values(low, top)", "None", 1},
		{asking, "(key, ())", "(key)", 1},
		{asking, "return key, value, top", "return None", 1},
		{asking, "Styles.level_top[low], ", "None, ", 1},
		{strings.Replace(asking, "(low, self.kind)", "(low, args=None)", 1), "args=(), kind=low", "kind=low", 1},
		{asking, "except ImportError", "except KeyError", 1},
		{asking, "return low.level_top", "return None", 1},
		{asking, "top - low", "None", 1},
		{held, inside, outside, 1},
		{held, inside, "        Store.guard_lock.acquire()\n" + outside, 1},
		{held, "most is not None and least is not None and ", "", 2},
		{held, "key and strict", "strict", 1},
		{held, "(strict or key)", "(strict)", 1},
		{held, "least * 7 + most * 2", "least * 7 + 2", 1},
		{held, "    @wraps(function)\n", "", 1},
		{held, `, "two": ","`, "", 1},
		{roomy, "    from collections import MutableSet", "    pass", 1},
		{strings.Replace(roomy, "    \"eighth\",\n", "    \"ninth\",\n    \"eighth\",\n", 1), "    \"ninth\",\n", "", 1},
		{roomy, "    @classmethod\n", "", 1},
		{roomy, "cls.grid[0, 0] = 0", "pass", 2},
		{roomy, "self.index[key] = value", "pass", 1},
		{roomy, "        self.total = 0\n", "", 1},
		{roomy, "        delete(rows, width)\n", "", 2},
		{roomy, "not rows or len(rows) != 1 or", "not rows or", 1},
		{roomy, "not row or len(row) != 3 for", "not row for", 2},
		{roomy, "return (None, None)", "return None", 1},
		{roomy, "frozenset({\n        \"first\",\n        \"second\",\n    })", "{\n        \"first\",\n        \"second\",\n    }", 1},
		{roomy, "in cls.names:", "in ():", 1},
		{roomy, "width=width, rows=rows", "rows=rows", 1},
		{roomy, "bytes(width).hex", "width.hex", 1},
		{roomy, "        if not width:\n            width = cls.grid\n", "", 1},
		{roomy, " or Table.known(width)", "", 2},
		{roomy, "        if width or Table.known(width):\n            raise TableInterrupted\n", "", 2},
		{roomy, "rows.kind", "rows.open", 1},
		{roomy, "self.open(*args, **more)", "None", 1},
		{roomy, "        return list(enumerate(width))\n", "        pass\n", 2},
		{strings.Replace(roomy, "LIMIT.format(kind)", "\"none \" + LIMIT", 1), " + LIMIT", "", 1},
		{handed, "    pathlib.Path(\"c\"),", "    \"c\",", 1},
		{handed, "C = A | B", "C = A", 1},
		{handed, "    with open(name, mode) as f:\n        for line in f:\n            if line.lower().find(mode) > 0:\n                show(line, width=width)\n",
			"    f = open(name, mode)\n    for line in f:\n        if line.lower().find(mode) > 0:\n            show(line, width=width)\n", 1},
		{handed, "line.lower().find", "line.find", 1},
		{handed, "lambda x: str(x)", "lambda x: x", 1},
		{handed, "keep=None):\n    \"\"\"Gathers.\"\"\"\n    low = name.lower()\n    show(low, 0)\n    show(low, 1)\n    show(low, 2)\n    show(low, 3)\n    seen: list[str] = []\n",
			"keep=None, seen=[]):\n    \"\"\"Gathers.\"\"\"\n    low = name.lower()\n    show(low, 0)\n    show(low, 1)\n    show(low, 2)\n    show(low, 3)\n", 1},
		{handed, "keep = [] if keep is None else keep", "keep = keep", 1},
		{handed, "[pathlib.PurePath, pathlib.PurePath]", "[pathlib.PurePath]", 1},
		{handed, "write(start, found=found)", "write(start)", 1},
		{handed, "one.find(end) is None", "not one.find(end)", 1},
		{handed, "one.get(x) is not None", "one.get(x)", 1},
		{handed, "one.year if one.year is not None else two.year", "one.year", 1},
		{handed, "default.month if one.month is None else one.month", "one.month", 1},
		{handed, "(start, end)", "None", 1},
		{apart, "-len(text)", "len(text)", 1},
		{apart, "other is text", "False", 2},
		{apart, `text + "salted" + other`, "text + other", 1},
		{apart, `None) or codecs.lookup(name)`, "None)", 1},
		{apart, "mode, **extra)\n\n\ndef listed", "mode)\n\n\ndef listed", 1},
		{apart, `    if name in extra and mode == "plain":
        extra.pop(name, None)
        raise KeyError(name)
`, "", 2},
		{apart, "    if found is None:\n        found = codecs.lookup(name)\n", "", 1},
		{apart, `name.encode("ascii", "strict"), rows`, "name, rows", 1},
		{apart, "found, lambda: None, LIMIT", "found, LIMIT", 2},
		{apart, `codecs.lookup("ascii").name.encode("ascii", "strict")`, `codecs.lookup("ascii").name`, 1},
		{class, "lock if lock is not None else self.none", "lock", 1},
		{class, "hash(self.size)", "self.size", 1},
		{class, "for key in self.links:", "for key in ():", 1},
		{class, "        self.flush()\n", "", 1},
		{class, "if key in self.links:", "if False:", 1},
		{class, "(self.flush, (self.size, self.links))", "((self.size, self.links),)", 1},
		{class, "(None, self.size)", "(self.size,)", 1},
		{class, "time + self.size", "self.size", 1},
		{class, "self.read() or {}", "self.read()", 1},
		{loose, "filterfalse(predicate, seq)", "None", 1},
		{loose, "(None,) * (n - len(args))", "(n - len(args))", 1},
		{loose, "(n,) + args", "args", 2},
		{loose, "    if kwargs is None:\n        kwargs = {}\n", "", 1},
		{loose, "fset=fset, kwargs", "kwargs", 1},
		{loose, "*rest, **more)\n    return", "*rest)\n    return", 1},
		{loose, "    else:\n        left = next(two)\n", "", 1},
		{loose, "not (one in order)", "not (not (one in order))", 1},
		{loose, " or not (one < two)", "", 2},
		{loose, "    except KeyError:\n        return None\n", "", 1},
		{loose, "(seq.start + seq.stop)", "(seq.start)", 1},
		{loose, "            if one in seq:\n                continue\n", "", 1},
	} {
		broken := []byte(strings.Replace(c.right, c.old, c.new, 1))
		w := WayTo(placed(View{Path: "f.py", Source: broken}, []byte(c.right)), []byte(c.right))
		if w.Moves == 0 || w.Moves > c.moves {
			t.Errorf("%q for %q: %d moves %v, want %d", c.new, c.old, w.Moves, w.What, c.moves)
		}
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
			back := sameProgram(broken, right)
			for _, c := range g.ranked() {
				made, err := tree.ApplyEdits(broken, c.Edits)
				want := err == nil && same(made, right)
				if got := back(c.Edits); got != want {
					t.Fatalf("%q is a way back: %v, want %v, from\n%s", c.What(), got, want, broken)
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
	if n := NewCorruptor([]policy.Text{{Path: "held.py", Source: []byte(held)}}, 1).Functions(); n != 0 {
		t.Errorf("a function that judges is learned from: %d", n)
	}
	if n := NewCorruptor([]policy.Text{{Path: "free.py", Source: []byte(free)}}, 1).Functions(); n != 1 {
		t.Errorf("another function is not learned from: %d", n)
	}
	if len(heldOut) < 60 {
		t.Errorf("%d functions are held out, want those of the sample", len(heldOut))
	}
}
