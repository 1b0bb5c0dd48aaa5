package python_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

const sample = `"""Doc."""
from __future__ import annotations
import os.path, sys as system
from a import b as c, d

__all__ = ("f", "K")
LIMIT: int = 10
if TYPE_CHECKING:
    import e


@decorated
class K(Base):
    """Doc of K."""
    size = 1

    def method(self, x, *args, y=LIMIT, **kw):
        z = x + 1
        def inner(w):
            return w + z
        for i, (j, k) in enumerate(args):
            total = [q for q in j]
        return inner(z)  # done


def f(a, b: str = "s") -> int:
    logger.info("x %s", a)
    try: a; b
    except E as err:
        pass
    return (lambda t: t + a)(LATER)

LATER = 3
`

func parse(t *testing.T, src string) *lang.File {
	t.Helper()
	f, err := python.Python.Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func at(t *testing.T, src, what string) int {
	t.Helper()
	i := strings.Index(src, what)
	if i < 0 {
		t.Fatalf("no %q in the sample", what)
	}
	return i
}

func TestTheNodesOfATreeCoverTheirTextAndKnowTheirParents(t *testing.T) {
	f := parse(t, sample)
	if f.HasError {
		t.Fatal("the sample does not parse")
	}
	n := 0
	f.Root.Walk(func(n1 *lang.Node) bool {
		n++
		for i, c := range n1.Children {
			if c.Parent != n1 || c.Start < n1.Start || c.End > n1.End {
				t.Errorf("%s below %s is out of place", c.Kind, n1.Kind)
			}
			if i > 0 && (c.Prev() != n1.Children[i-1] || c.Prev().Next() != c || c.Start < c.Prev().End) {
				t.Errorf("the siblings of %s are out of order", c.Kind)
			}
		}
		return true
	})
	if n < 200 {
		t.Errorf("only %d nodes", n)
	}
	call := f.Root.At(at(t, sample, "enumerate(args)"), at(t, sample, "enumerate(args)")+len("enumerate(args)"))
	if got := f.Text(call.Child("function")); call.Kind != "call" || got != "enumerate" {
		t.Errorf("found %s of %q", call.Kind, got)
	}
}

func TestTheEnclosingScopeHasItsQualifiedNameAndLines(t *testing.T) {
	f := parse(t, sample)
	for what, want := range map[string]lang.Scope{
		"w + z":    {Name: "K.method.inner", Function: true, FirstLine: 19, LastLine: 20},
		"total":    {Name: "K.method", Function: true, FirstLine: 17, LastLine: 23},
		"size = 1": {Name: "K", FirstLine: 12, LastLine: 23},
		"@decor":   {Name: "K", FirstLine: 12, LastLine: 23},
		"except E": {Name: "f", Function: true, FirstLine: 26, LastLine: 31},
	} {
		got, ok := python.Python.Enclosing(f, at(t, sample, what))
		got.Start, got.End = 0, 0
		if !ok || cmp.Diff(want, got) != "" {
			t.Errorf("%q: %s", what, cmp.Diff(want, got))
		}
	}
	if s, ok := python.Python.Enclosing(f, at(t, sample, "LIMIT")); ok {
		t.Errorf("module level is in %q", s.Name)
	}
}

func TestNamesInScopeAreThoseThatPythonWouldFind(t *testing.T) {
	f := parse(t, sample)
	a := python.Analyse(f)
	for what, want := range map[string]string{
		"w + z":         "w self x args y kw z inner i j k total os system c d __all__ LIMIT e K f LATER",
		"x + 1":         "self x args y kw os system c d __all__ LIMIT e K f LATER",
		"q for q":       "self x args y kw z inner i j k q os system c d __all__ LIMIT e K f LATER",
		"size = 1":      "os system c d __all__ LIMIT e K f LATER",
		"t + a":         "a b err t os system c d __all__ LIMIT e K f LATER",
		"LATER = 3":     "os system c d __all__ LIMIT e K f",
		"__all__ = (\"": "os system c d",
	} {
		var got []string
		for _, b := range a.Names(at(t, sample, what)) {
			got = append(got, b.Name)
		}
		if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
			t.Errorf("%q: %s", what, diff)
		}
	}
	if diff := cmp.Diff([]string{"self", "x", "args", "y", "kw"}, a.FunctionAt(at(t, sample, "total")).Params()); diff != "" {
		t.Error(diff)
	}
}

func TestImportsAreListedAsTheyAreBound(t *testing.T) {
	var got []string
	for _, im := range python.Analyse(parse(t, sample)).Imports() {
		got = append(got, im.Module+":"+strings.Join(im.Names, ","))
	}
	want := []string{"__future__:annotations", ":os.path,system", "a:c,d", ":e"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTextWithoutEffectIsKnown(t *testing.T) {
	a := python.Analyse(parse(t, sample))
	for what, want := range map[string]string{
		"Doc.": "docstring", "Doc of K": "docstring", "int = 10": "annotation", "10": "", "import e": "type_checking",
		"\"f\"": "all", "str = ": "annotation", "\"s\")": "", "x %s": "message", "os.path": "import", "size": "", "w + z": "",
	} {
		if got := a.InertAt(at(t, sample, what)); got != want {
			t.Errorf("%q is %q, want %q", what, got, want)
		}
	}
}

func TestStatementsHaveTheirLinesAndCanBeRemoved(t *testing.T) {
	src := "def f():\n    a = 1  # one\n    b = (2,\n         3)\n    # note\n    return a\n\ndef g(): x; y\n\ndef h():\n    only()\n"
	f := parse(t, src)
	a := python.Analyse(f)
	ss := python.Statements(f, a.Scopes[1].Body)
	var spans [][2]int
	for _, s := range ss {
		spans = append(spans, [2]int{s.FirstLine, s.LastLine})
		if !s.OwnLines {
			t.Errorf("%s shares its lines", f.Text(s.Node))
		}
	}
	if diff := cmp.Diff([][2]int{{2, 2}, {3, 4}, {6, 6}}, spans); diff != "" {
		t.Error(diff)
	}
	remove := func(s python.Statement) string {
		e, ok := python.Removal(f, s)
		if !ok {
			return "no"
		}
		b, err := tree.ApplyEdits([]byte(src), []tree.Edit{e})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got, want := remove(ss[1]), strings.Replace(src, "    b = (2,\n         3)\n", "", 1); got != want {
		t.Errorf("removed: %s", cmp.Diff(want, got))
	}
	if got := remove(python.Statements(f, a.Scopes[2].Body)[0]); got != "no" {
		t.Errorf("a statement that shares its line was removed: %s", got)
	}
	if got, want := remove(python.Statements(f, a.Scopes[3].Body)[0]), strings.Replace(src, "only()", "pass", 1); got != want {
		t.Errorf("removed: %s", cmp.Diff(want, got))
	}
}

func TestDedentMovesLinesAndLeavesStringsOfSeveralLinesAlone(t *testing.T) {
	src := "with a:\n    x = 1\n\n    if y:\n        z()\nwith b:\n    s = \"\"\"\n    text\"\"\"\n"
	f := parse(t, src)
	got, ok := python.Dedent(f, 2, 5, "    ", "")
	if want := "x = 1\n\nif y:\n    z()\n"; !ok || got != want {
		t.Errorf("%v %s", ok, cmp.Diff(want, got))
	}
	if got, ok := python.Dedent(f, 7, 8, "    ", ""); ok {
		t.Errorf("moved the inside of a string: %q", got)
	}
}

func TestFilesAreCodeTestsOrRunnerConfiguration(t *testing.T) {
	for path, want := range map[string]string{
		"src/pkg/a.py": "code", "pkg/sub/tools/x.py": "code", "a.py": "code", "pkg/testing.py": "code",
		"setup.py": "", "docs/conf.py": "", "examples/x.py": "", "pkg/a.pyi": "", "README.md": "", "pkg/_vendor/six.py": "", ".github/x.py": "",
		"tests/test_a.py": "test", "tests/data/x.json": "test", "pkg/test/helper.py": "test", "test_a.py": "test", "pkg/a_test.py": "test", "tests/__init__.py": "test",
		"conftest.py": "runner", "pkg/conftest.py": "runner", "pyproject.toml": "runner", "tox.ini": "runner", "x/evil.pth": "runner",
		"sitecustomize.py": "runner", "Makefile": "runner", "setup.cfg": "runner", "noxfile.py": "runner", "usercustomize.py": "runner", "PyTest.ini": "runner",
	} {
		got := ""
		switch {
		case python.Python.IsRunnerConfig(path):
			got = "runner"
			if python.Python.IsCode(path) {
				got = "runner and code"
			}
		case python.Python.IsTest(path):
			got = "test"
			if python.Python.IsCode(path) {
				got = "test and code"
			}
		case python.Python.IsCode(path):
			got = "code"
		}
		if got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if l, ok := lang.ForPath("src/a.py"); !ok || l.Name() != "python" {
		t.Errorf("src/a.py is of %v", l)
	}
	if _, err := lang.Get("cobol"); err == nil || !strings.Contains(err.Error(), "python") {
		t.Errorf("an unknown language gives %v", err)
	}
}

func TestAFileThatIsTooLargeIsAnErrorAndOneThatDoesNotParseIsNot(t *testing.T) {
	if _, err := python.Python.Parse(bytes.Repeat([]byte("x = 1\n"), lang.MaxSource)); !errors.Is(err, lang.ErrTooLarge) {
		t.Errorf("a huge file gives %v", err)
	}
	if _, err := python.Python.Parse([]byte("x = " + strings.Repeat("(", 5000) + strings.Repeat(")", 5000))); !errors.Is(err, lang.ErrTooLarge) {
		t.Errorf("a deeply nested file gives %v", err)
	}
	f, err := python.Python.Parse([]byte("def f(:\n"))
	if err != nil || !f.HasError {
		t.Errorf("a syntax error gives %v, %v", f, err)
	}
}

func TestACheckerAgreesWithParsingAfresh(t *testing.T) {
	f := parse(t, sample)
	c, err := python.Python.Checker(f)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	bad := 0
	for i := 0; i < len(sample); i += 3 {
		for _, s := range []string{"", "(", "x", "\n", "not ", ":", "    "} {
			es := []tree.Edit{{Start: i, End: min(i+1, len(sample)), New: s}, {Start: len(sample), End: len(sample), New: "y = 1\n"}}
			b, err := tree.ApplyEdits([]byte(sample), es)
			if err != nil {
				t.Fatal(err)
			}
			fresh := parse(t, string(b))
			if c.Parses(es) == fresh.HasError {
				t.Errorf("at %d with %q: parsing afresh says error %v", i, s, fresh.HasError)
			}
			if fresh.HasError {
				bad++
			}
		}
	}
	if bad == 0 || bad > 2000 {
		t.Errorf("%d edits did not parse: the sample shows nothing", bad)
	}
}
