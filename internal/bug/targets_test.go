package bug_test

import (
	"strings"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/tree"
)

// inherited is a unittest suite whose tests stand in a mixin of another file.
var inherited = map[string]string{
	"box.py": `class Box:
    def __init__(self, items):
        self.items = list(items)

    def last(self):
        return self.items[len(self.items) - 1]

    def first(self):
        return self.items[0]
`,
	"tests/__init__.py": `import os
import sys


def unused():
    return os.getcwd()


class BoxMixin:
    def test_other(self):
        self.assertEqual(self.Box([1]).first(), 1)

    def test_last(self):
        unused_value = sys.version
        box = self.Box([1, 2, 3])
        self.assertEqual(box.first(), 1)
        self.assertEqual(box.last(), 3)
        box.items.append(4)
        self.assertEqual(box.last(), 4)
`,
	"tests/test_box.py": `import unittest

from box import Box

from . import BoxMixin


class BoxTest(unittest.TestCase, BoxMixin):
    Box = Box

    def test_own(self):
        self.assertEqual(self.Box([1, 2]).first(), 1)
`,
}

var parametrised = map[string]string{
	"num.py": "def big(n):\n    return n > 2\n\n\ndef small(n):\n    return n < 2\n",
	"test_num.py": `import pytest

from num import big, small

numbers = [1, 2, 3]


@pytest.mark.parametrize("n, want", [(1, False), (2, False), (3, True), (4, True)])
def test_big(n, want):
    assert n in numbers + [4]
    assert big(n) is want


def test_small():
    assert small(1)


def test_all_big():
    for n in (3, 4, 5):
        assert big(n)
`,
}

// edit returns the tree with one string of one file replaced.
func edit(t *testing.T, target bug.Target, path, old, new string) *tree.Tree {
	t.Helper()
	return editTree(t, target.Snapshot.Tree, path, old, new)
}

func editTree(t *testing.T, tr *tree.Tree, path, old, new string) *tree.Tree {
	t.Helper()
	src, err := tr.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(src), old) == 0 {
		t.Fatalf("%s does not hold %q", path, old)
	}
	out, err := tr.With(map[string]*tree.File{path: tree.Text(strings.Replace(string(src), old, new, 1))})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var hangs = map[string]string{
	"loop.py":      "def count(n):\n    i = 0\n    while i < n:\n        i += 1\n    return i\n",
	"test_loop.py": "from loop import count\n\n\ndef test_zero():\n    assert count(0) == 0\n\n\ndef test_count():\n    x = 5\n    y = 3\n    assert count(x) == 5\n",
}
