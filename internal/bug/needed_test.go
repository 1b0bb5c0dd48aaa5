package bug_test

import (
	"strings"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/outcome"
)

// far puts functions far enough apart for a hunk each.
func far(functions ...string) string {
	return strings.Join(functions, strings.Repeat("# between\n", 8))
}

func TestAHunkThatKeepsAnotherTestGreenIsNeeded(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"a.py":      far("def a():\n    return 1\n", "def b():\n    return 2\n"),
		"test_a.py": "from a import a, b\n\n\ndef test_a():\n    assert a() == 1\n\n\ndef test_sum():\n    assert a() + b() == 3\n",
	})
	tr := editTree(t, edit(t, target, "a.py", "return 1", "return 2"), "a.py", "def b():\n    return 2", "def b():\n    return 1")
	res := validate(t, target, bug.Candidate{Tree: tr}, nil)
	if res.Outcome != outcome.Valid || strings.Join(res.Bug.Red, " ") != "test_a.py::test_a" {
		t.Errorf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
	}
}

func TestHunksThatWorkOnlyTogetherAreNeeded(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"words.py":  "def plain(text):\n    return text.lower()\n",
		"count.py":  far("from words import plain\n", "def count(text, word):\n    return plain(text).split().count(word)\n"),
		"test_a.py": "from count import count\n\n\ndef test_count():\n    assert count('A a', 'a') == 2\n",
	})
	// The definition, its import and its use are gone: of the three each two
	// restored are no use without the third.
	tr := edit(t, target, "words.py", "def plain(text):\n    return text.lower()\n", "")
	tr = editTree(t, editTree(t, tr, "count.py", "from words import plain\n", "\n"), "count.py", "plain(text)", "text")
	if res := validate(t, target, bug.Candidate{Tree: tr}, nil); res.Outcome != outcome.Valid {
		t.Errorf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
	}
}
