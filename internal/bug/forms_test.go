package bug

import (
	"strings"
	"testing"

	"breakfix/internal/testrun"
)

// form makes a variant of a file whose line with the mark "# here" failed.
func form(t *testing.T, src, id string) *variant {
	t.Helper()
	var at marks
	for i, l := range strings.Split(src, "\n") {
		if strings.Contains(l, "# here") {
			at = marks{i + 1, i + 1}
		}
	}
	return newVariant("", []byte(src), parseID(id), at)
}

// stays checks that the marked line is still the marked one.
func stays(t *testing.T, v *variant) {
	t.Helper()
	for _, line := range v.at {
		if lines := strings.Split(string(v.src), "\n"); line == 0 || !strings.Contains(lines[line-1], "# here") {
			t.Errorf("line %d is not the one that failed:\n%s", line, v.src)
		}
	}
}

func TestPlainerForms(t *testing.T) {
	for _, c := range []struct{ name, src, id, want string }{
		{"a case that its id names", `
import pytest
from num import big

CASES = [(1, False), pytest.param(7, True, id="seven")]


@pytest.mark.parametrize("zone", (dt.UTC, None))
@pytest.mark.parametrize("add", [0, 1])
@pytest.mark.parametrize("n, want", CASES)
def test_big(n, want, add, tmp_path, zone):

    assert big(n + add) is want  # here
`, "t.py::test_big[seven-1-zone0]", `
from num import big


def test_big(tmp_path):
    zone = dt.UTC
    add = 1
    n = 7
    want = True
    assert big(n + add) is want  # here
`},
		{"fixtures of the file", `
import pytest
from db import DB


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x"


@pytest.fixture()
def db(path):
    """Opens."""
    d = DB(path)
    yield d
    d.close()


def test_all(db):
    assert db.all() == []  # here
`, "t.py::test_all", `
from db import DB


def test_all(tmp_path):
    path = tmp_path / "x"
    d = DB(path)
    db = d
    assert db.all() == []  # here
`},
		{"a case of a fixture that has several", `
import pytest
from url import URL

URLS = [
    "a:/b",
    "c:/d",
]


@pytest.fixture(scope="module", params=URLS)
def url(request):
    param = request.param
    return URL(param)


def test_text(url):
    assert url.text  # here
`, "t.py::test_text[c:/d]", `
from url import URL


def test_text():
    param = "c:/d"
    url = URL(param)
    assert url.text  # here
`},
		{"a class with setUp", `
import unittest
from box import Box


class TestBox(unittest.TestCase):
    kind = Box

    def setUp(self):
        self.items = [1, 2]
        self.box = self.kind(self.items)

    def tearDown(self):
        self.box.close()

    def test_last(self):
        class Other(Box):
            def __init__(self):
                self.kind = 1

        self.assertIsNotNone(self.box)
        self.assertEqual(self.box.last(), max(self.items) or 2)  # here
`, "t.py::TestBox::test_last", `
from box import Box


def test_last():
    items = [1, 2]
    box = Box(items)
    class Other(Box):
        def __init__(self):
            self.kind = 1

    assert box is not None
    assert box.last() == (max(items) or 2)  # here
`},
	} {
		z := &minimiser{kind: "AssertionError"}
		forms := z.plainer(form(t, c.src, c.id))
		if len(forms) == 0 {
			t.Errorf("%s: no form", c.name)
			continue
		}
		last := forms[len(forms)-1]
		if got, want := string(last.src), strings.TrimPrefix(c.want, "\n"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, want)
		}
		stays(t, last)
	}
}

func TestACaseThatCannotBeReadOffIsEachOfThem(t *testing.T) {
	src := "import pytest\n\n\n@pytest.mark.parametrize('f', [lambda: 1, lambda: 2])\ndef test_it(f):\n    assert f() == 1  # here\n"
	var got []string
	for _, v := range form(t, src, "t.py::test_it[<lambda>1]").resolved() {
		got = append(got, strings.Split(strings.Split(string(v.src), "f = ")[1], "\n")[0])
		stays(t, v)
	}
	if strings.Join(got, " ") != "lambda: 1 lambda: 2" {
		t.Errorf("cases %q", got)
	}
	for _, none := range []string{
		strings.Replace(src, "[lambda: 1, lambda: 2]", "cases()", 1),
		strings.Replace(src, "lambda: 2]", "lambda: 2], indirect=True", 1),
	} {
		if v := form(t, none, "t.py::test_it[<lambda>1]").resolved(); v != nil {
			t.Errorf("a table that is not written out: %s", v[0].src)
		}
	}
}

func TestWhatTheFailingStatementNeeds(t *testing.T) {
	src := `from pkg import make, check

def test_it():
    spare = make(0)
    a = make(1)
    b = make(2)
    b.append(a)
    check(spare)
    assert a
    for x, y in [(1, 2), (3, 4)]:
        c = make(x)
        assert y
        with check(c) as d:
            assert d == b  # here
        make(c)
    assert spare
`
	z := &minimiser{kind: "AssertionError"}
	got := z.slices(form(t, src, "t.py::test_it"))
	if len(got) != 3 {
		t.Fatalf("%d guesses", len(got))
	}
	for i, c := range []struct {
		has, no []string
	}{
		{[]string{"b = make(2)", "c = make(x)"}, []string{"spare", "a = ", "assert y", "make(c)"}},
		{[]string{"a = make(1)", "b.append(a)", "c = make(x)"}, []string{"spare", "assert a", "assert y", "make(c)"}},
		{[]string{"spare = make(0)", "assert y", "check(spare)"}, []string{"make(c)", "assert spare"}},
	} {
		stays(t, got[i])
		for _, h := range c.has {
			if !strings.Contains(string(got[i].src), h) {
				t.Errorf("guess %d lacks %q:\n%s", i, h, got[i].src)
			}
		}
		for _, n := range c.no {
			if strings.Contains(string(got[i].src), n) {
				t.Errorf("guess %d has %q:\n%s", i, n, got[i].src)
			}
		}
	}
}

func TestALoopOverATableBecomesOneRow(t *testing.T) {
	src := "from num import f\n\nTABLE = [(1, 2), (3,\n 4)]\n\n\ndef test_it():\n    for n, want in TABLE:\n        spare = 1\n        assert f(n) == want  # here\n"
	v := form(t, src, "t.py::test_it")
	m, _ := parse(v.src)
	defer m.Close()
	var got []string
	z := &minimiser{kind: "AssertionError"}
	for _, u := range m.units(v.id) {
		if u.body > 0 && u.above > 0 {
			w := z.cut(m, v, []cut{u})
			stays(t, w)
			got = append(got, string(w.src))
		}
	}
	want := "from num import f\n\n\ndef test_it():\n    n = 3\n    want = 4\n    spare = 1\n    assert f(n) == want  # here\n"
	if len(got) != 2 || got[1] != want {
		t.Errorf("%d rows, the last\n%s\nwant\n%s", len(got), got[len(got)-1], want)
	}
}

func TestVariablesAreReplacedByWhatTheyStandFor(t *testing.T) {
	src := `from pkg import f


def test_it():
    n = 3
    text = f"{n}"
    args = n + 1
    many = [n]
    kept = f(1)
    got = f(args, text=text)
    want = 1 or 2
    wide = "012345678901234567890123456789"
    lazy = f(9)
    g = lambda: lazy
    assert got * 2 == many + many + want + g()
    assert f(wide, kept, kept, wide)  # here
`
	want := `from pkg import f


def test_it():
    many = [3]
    kept = f(1)
    wide = "012345678901234567890123456789"
    lazy = f(9)
    g = lambda: lazy
    assert f(3 + 1, text=f"{3}") * 2 == many + many + (1 or 2) + g()
    assert f(wide, kept, kept, wide)  # here
`
	z := &minimiser{kind: "AssertionError"}
	got := z.folds(form(t, src, "t.py::test_it"))
	if len(got) == 0 || string(got[0].src) != want {
		t.Fatalf("got\n%s\nwant\n%s", got[0].src, want)
	}
	stays(t, got[0])
	for _, one := range got[1:] {
		stays(t, one)
	}
	one := z.folds(form(t, "def test_it():\n    class S(T):\n        nested = f(1)\n\n    x = ''\n    errors = S()\n    with g() as e:\n        errors.load(x)  # here\n", "t.py::test_it"))
	if len(one) == 0 || !strings.HasSuffix(string(one[0].src), "        nested = f(1)\n\n    with g() as e:\n        S().load('')  # here\n") {
		t.Errorf("into a with: %s", one[0].src)
	}
	if none := z.folds(form(t, "def test_it():\n    for x in f():\n        x = g(x)\n        assert x  # here\n", "t.py::test_it")); none != nil {
		t.Errorf("a loop's variable was replaced:\n%s", none[0].src)
	}
}

func TestLiteralsLoseTheirParts(t *testing.T) {
	src := "def test_it():\n    assert f([1, 2], {'a': 1, 'b': 2}, (1, 2), 'a text that is longer than it has to be').g().h() == 1  # here\n"
	v := form(t, src, "t.py::test_it")
	m, _ := parse(v.src)
	defer m.Close()
	z := &minimiser{kind: "AssertionError"}
	seen := map[string]bool{}
	for _, c := range m.parts() {
		if w := z.cut(m, v, []cut{c}); w != nil {
			stays(t, w)
			seen[strings.TrimSpace(strings.Split(string(w.src), "\n")[1])] = true
		}
	}
	for _, want := range []string{
		"assert f([1], {'a': 1, 'b': 2}, (1, 2), 'a text that is longer than it has to be').g().h() == 1  # here",
		"assert f([1, 2], {'b': 2}, (1, 2), 'a text that is longer than it has to be').g().h() == 1  # here",
		"assert f([1, 2], {'a': 1, 'b': 2}, (1, 2), 'a text that is long').g().h() == 1  # here",
		"assert f([1, 2], {'a': 1, 'b': 2}, (1, 2), 'a text that is longer than it has to be').g() == 1  # here",
	} {
		if !seen[want] {
			t.Errorf("missing %s\nof %v", want, seen)
		}
	}
}

func TestAFailureIsTheSameAtTheSamePlaceOnly(t *testing.T) {
	src := "from pkg import f\n\n\ndef test_it():\n    assert f(1)\n    assert f(\n        2)  # 7\n    with f(3):\n        f(4)\n"
	const file = "t.py"
	own := func(line int) testrun.Failure {
		return testrun.Failure{Kind: "AssertionError", Path: file, Line: line, TestLine: line, Frames: []testrun.Frame{{Path: file, Line: line, Func: "test_it"}}}
	}
	deep := func(line int, fn string) testrun.Failure {
		f := own(line)
		f.Path, f.Frames = "pkg.py", append(f.Frames, testrun.Frame{Path: "pkg.py", Line: 3, Func: fn})
		return f
	}
	m, _ := parse([]byte(src))
	defer m.Close()
	id := parseID("t.py::test_it")
	at := m.marksOf(id, own(7), file)
	if at != (marks{6, 6}) {
		t.Errorf("the statement of line 7 begins on line %d", at[0])
	}
	if got := m.marksOf(id, deep(9, "f"), file); got != (marks{0, 9}) {
		t.Errorf("of a failure inside of the target the test's statement is on line %v", got)
	}
	v := &variant{src: []byte(src), id: id, at: at}
	z := &minimiser{kind: "AssertionError", site: siteOf(own(7), file)}
	for _, c := range []struct {
		f    testrun.Failure
		want bool
	}{{own(6), true}, {own(7), true}, {own(5), false}, {deep(7, "f"), false}} {
		if got := z.same(v, file, c.f); got != c.want {
			t.Errorf("%+v: %v", c.f.Frames, got)
		}
	}
	z.site = siteOf(deep(7, "f"), file)
	if !z.same(v, file, deep(5, "f")) || z.same(v, file, deep(7, "g")) || z.same(v, file, own(7)) {
		t.Error("inside of the target the function decides")
	}
	other := own(7)
	other.Kind = "TypeError"
	if z.same(v, file, other) {
		t.Error("another exception is another failure")
	}
}

func TestWhatIsLeftReadsWell(t *testing.T) {
	src := `import os


from pkg import f, table

# A section of its own

# About the rows
ROWS = [1]


def test_it():
    unused = f(0)
    want = [
        "a b", {1:
                 2},
    ]
    try:
        got = f(table(ROWS))
        assert got == want  # here
    except OSError:
        pass
    finally:
        f(1)


# Tests of another thing
def test_other():
    pass

# The end
`
	want := `from pkg import f, table


# About the rows
ROWS = [1]


def test_it():
    f(0)
    try:
        assert f(table(ROWS)) == ["a b", {1: 2}]  # here
    except OSError:
        pass
    finally:
        f(1)
`
	z := &minimiser{kind: "AssertionError"}
	v := z.pruned(form(t, src, "t.py::test_it"))
	got := z.folds(v)
	if len(got) == 0 || string(got[0].src) != want {
		t.Fatalf("got\n%s\nwant\n%s", got[0].src, want)
	}
	stays(t, got[0])
	m, _ := parse(got[0].src)
	defer m.Close()
	bare := strings.Replace(want, "    try:\n        assert f(table(ROWS)) == [\"a b\", {1: 2}]  # here\n    except OSError:\n        pass\n    finally:\n        f(1)\n",
		"    assert f(table(ROWS)) == [\"a b\", {1: 2}]  # here\n", 1)
	var found, clause bool
	for _, u := range m.units(got[0].id) {
		if w := z.cut(m, got[0], []cut{u}); w != nil {
			found = found || string(w.src) == bare
			clause = clause || strings.Contains(string(w.src), "finally") && !strings.Contains(string(w.src), "except")
		}
	}
	if !found || !clause {
		t.Errorf("the body alone: %v; without one clause: %v", found, clause)
	}
}
