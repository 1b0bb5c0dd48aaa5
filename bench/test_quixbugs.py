"""Tests of bench/quixbugs: every line of the set is red as it is and green with the known fix.

    python3 -m unittest discover bench
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = {
    "python_programs/flatten.py": 'def flatten(xs):\n    for x in xs:\n        yield xs\n\n\n"""\nFlatten\n"""\n',
    "correct_python_programs/flatten.py": 'def flatten(xs):\n    for x in xs:\n        yield x\n\n\n"""\ndef flatten(xs):\n    return iter(xs)\n"""\n',
    "json_testcases/flatten.json": "[[[1, 2]], [1, 2]]\n",
    "python_programs/sqrt.py": "def sqrt(x, epsilon):\n    return x / 3\n",
    "correct_python_programs/sqrt.py": "def sqrt(x, epsilon):\n    return x / 2\n",
    "json_testcases/sqrt.json": "[[4, 0.01], 2.001]\n\n[[6, 0.5], 3]\n",
    "python_programs/hanoi.py": "def hanoi(height):\n    return []\n",
    "correct_python_programs/hanoi.py": "def hanoi(height):\n    return [(1, 3)] * height\n",
    "json_testcases/hanoi.json": "[1, [[1, 3]]]\n",
    "python_programs/levenshtein.py": "def levenshtein(a, b):\n    return 1\n",
    "correct_python_programs/levenshtein.py": "def levenshtein(a, b):\n    return abs(len(a) - len(b))\n",
    "json_testcases/levenshtein.json": '[["a", "abc"], 2]\n[["a", "a"], 0]\n[["slow", ""], "never"]\n[["slow", ""], "never"]\n',
    "python_programs/reverse_linked_list.py": "def reverse_linked_list(node):\n    return node\n",
    "correct_python_programs/reverse_linked_list.py": "def reverse_linked_list(node):\n    return node.successor\n",
    "python_programs/reverse_linked_list_test.py": "no program\n",
    "python_programs/node.py": "no program\n",
    "python_testcases/node.py": "class Node:\n    def __init__(self, successor=None):\n        self.successor = successor\n",
    "python_testcases/test_reverse_linked_list.py": "import pytest\n\nfrom node import Node\n\nif pytest.use_correct:\n    from correct_python_programs.reverse_linked_list import reverse_linked_list\n"
    "else:\n    from python_programs.reverse_linked_list import reverse_linked_list\n\n\ndef test1():\n    last = Node()\n    assert reverse_linked_list(Node(last)) is last\n",
}


def made(root):
    return subprocess.run([sys.executable, os.path.join(HERE, "quixbugs"), root], capture_output=True, text=True, check=False)


class TheSet(unittest.TestCase):
    def test_every_line_is_red_and_green_when_repaired(self):
        with tempfile.TemporaryDirectory() as root:
            for path, text in FILES.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                    f.write(text)
            out = made(root)
        self.assertEqual(out.returncode, 0, out.stderr)
        bugs = [json.loads(line) for line in out.stdout.splitlines()]
        self.assertEqual([b["task_id"] for b in bugs], ["QuixBugs/" + n for n in ("flatten", "hanoi", "levenshtein", "reverse_linked_list", "sqrt")])
        for b in bugs:
            with self.subTest(b["task_id"]):
                exec(b["declaration"] + b["canonical_solution"] + "\n\n" + b["test"], {})
                with self.assertRaises(AssertionError):
                    exec(b["declaration"] + b["buggy_solution"] + "\n\n" + b["test"], {})
                self.assertNotIn('"""', b["declaration"] + b["buggy_solution"] + b["canonical_solution"])

    def test_what_is_no_checkout_is_refused(self):
        with tempfile.TemporaryDirectory() as root:
            out = made(root)
        self.assertEqual((out.returncode, out.stdout), (1, ""))
        self.assertIn("is no checkout of QuixBugs", out.stderr)


if __name__ == "__main__":
    unittest.main()
