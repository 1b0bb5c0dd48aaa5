package strategy_test

import (
	"slices"
	"strings"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/outcome"
	"breakfix/internal/strategy"
	"breakfix/internal/tree"
)

var shop = map[string]string{
	"shop/__init__.py": "",
	"shop/words.py": `"""Words of a text."""
import re


def plain(text):
    """Lower case, without marks."""
    text = text.lower()
    return re.sub(r"[^a-z ]", "", text)


def logged(f):
    def inner(*args):
        return f(*args)
    return inner
`,
	"shop/search.py": `from . import words
from .words import (
    logged,
    plain,
)


def count(text, wanted):
    """How often a word occurs."""
    if not wanted:
        return 0
    found = [w for w in plain(text).split() if w == plain(wanted)]
    return len(found)


def each(text):
    for w in text.split():
        yield w


async def slow(text):
    for w in each(text):
        yield w


@logged
def one(): return 1


class Base:
    def todo(self):
        raise NotImplementedError
`,
	"test_shop.py": `import pytest

from shop.search import Base, count, each, one


def test_count():
    assert count("A cat, a dog", "cat") == 1


def test_marks():
    assert count("A cat, a dog.", "dog!") == 1


def test_nothing():
    assert count("a", "") == 0


def test_each():
    assert list(each("a b")) == ["a", "b"]
    assert one() == 1


def test_todo():
    with pytest.raises(NotImplementedError):
        Base().todo()
`,
}

func TestRemovalTakesBodiesGuardsAndRelatedCodeAway(t *testing.T) {
	from := sourceOf(bugtest.Prepare(t, shop))
	s, err := strategy.New("removal", from, strategy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := drawn(t, s, seeded(1), 100)
	var diffs []string
	two := -1
	for i, p := range all {
		d, err := tree.Diff(from.Target.Snapshot.Tree, p.Candidate.Tree)
		if err != nil {
			t.Fatal(err)
		}
		diffs = append(diffs, string(d))
		if p.Candidate.Strategy != "removal" || len(p.Candidate.Mutations) != 0 {
			t.Errorf("%+v", p.Candidate)
		}
		if strings.Contains(string(d), "-def plain(text):") {
			two = i
		}
	}
	for what, lines := range map[string]string{
		"a body":                  "-    text = text.lower()\n-    return re.sub(r\"[^a-z ]\", \"\", text)\n+    return None\n",
		"a body with a docstring": "     \"\"\"How often a word occurs.\"\"\"\n-    if not wanted:\n",
		"a generator":             "-    for w in text.split():\n-        yield w\n+    yield from ()\n",
		"a body on one line":      "-def one(): return 1\n+def one(): return None\n",
		"a guard":                 "-    if not wanted:\n-        return 0\n     found",
	} {
		if !slices.ContainsFunc(diffs, func(d string) bool { return strings.Contains(d, lines) }) {
			t.Errorf("%s is not taken away in any of\n%s", what, strings.Join(diffs, "\n"))
		}
	}
	for _, d := range diffs {
		if strings.Contains(d, "NotImplementedError") || strings.Contains(d, "+    return; yield") {
			t.Errorf("it is covered by no test, or does nothing anyway:\n%s", d)
		}
	}
	if two < 0 {
		t.Fatalf("no definition goes with its uses: %s", strings.Join(diffs, "\n"))
	}
	if d := diffs[two]; !strings.Contains(d, "-    plain,\n") || !strings.Contains(d, "+    found = [w for w in text.split() if w == wanted]\n") {
		t.Errorf("the uses of what is gone:\n%s", d)
	}
	res, err := bug.Validate(t.Context(), from.Target, all[two].Candidate, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Outcome != outcome.Valid {
		t.Fatalf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
	}
	if res.Bug.Strategy != "removal" || len(res.Bug.Red) != 2 {
		t.Errorf("a bug of %s, red %v", res.Bug.Strategy, res.Bug.Red)
	}
}
