"""Tests of bench/learn-curve: what is counted of a run, and which seeds are done.

    python3 -m unittest discover bench
"""

import argparse
import importlib.machinery
import importlib.util
import os
import sqlite3
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("learn_curve", os.path.join(os.path.dirname(os.path.abspath(__file__)), "learn-curve"))
lc = importlib.util.module_from_spec(importlib.util.spec_from_loader("learn_curve", loader))
loader.exec_module(lc)


class Counting(unittest.TestCase):
    def test_breaks_by_thirds(self):
        with tempfile.TemporaryDirectory() as run:
            with sqlite3.connect(os.path.join(run, "run.db")) as db:
                db.execute("CREATE TABLE episodes (episode INTEGER, kind TEXT, outcome TEXT)")
                db.execute("CREATE TABLE attempts (episode INTEGER, outcome TEXT)")
                db.executemany("INSERT INTO episodes VALUES (?, ?, ?)", [(1, "fresh", "valid"), (2, "fresh", "unnoticed"), (3, "higher_order", "valid"),
                                                                         (4, "fresh", "valid"), (5, "fresh", "valid")])
                db.executemany("INSERT INTO attempts VALUES (?, ?)", [(1, "fixed"), (1, "fixed"), (3, "fixed"), (4, "fixed"), (4, "wrong"), (5, "wrong")])
            one, two = lc.breaks(run, 2)
        self.assertEqual(one, {"breaks": 2, "valid": 1, "sometimes": 0, "attempts": 2, "fixed": 2})
        self.assertEqual(two, {"breaks": 2, "valid": 2, "sometimes": 1, "attempts": 3, "fixed": 1})

    def test_versions_that_were_played_with(self):
        shown = {"versions": [{"accepted": True}, {"accepted": False}, {"accepted": True}, {"accepted": True}]}
        self.assertEqual(lc.accepted(shown), [0, 2, 3])
        self.assertEqual(lc.middle([0, 2, 3]), 2)

    def test_versions_are_compared_as_fixers_and_as_breakers(self):
        with tempfile.TemporaryDirectory() as run:
            os.makedirs(os.path.join(run, "versions", "3"))
            args = argparse.Namespace(breakfix="breakfix", bugs=9, steps=8, breaks=7, unseen=["a", "b"])
            shown = {"versions": [{"accepted": True}, {"accepted": False}, {"accepted": True}, {"accepted": True}]}
            fixers, breakers = lc.judges(args, run, shown)
            args.breaks = 0
            alone = lc.judges(args, run, shown)
        self.assertEqual(fixers[:4], ["breakfix", "bench", "learn", "--json"])
        self.assertEqual(breakers[:4], ["breakfix", "bench", "breaks", "--json"])
        for command, n in ((fixers, "9"), (breakers, "7")):
            self.assertEqual(command[4:12:2], ["--from"] * 4)
            self.assertEqual([os.path.basename(p) for p in command[5:12:2]], ["scratch", "0", "2", "3"])
            self.assertEqual(command[command.index("-n") + 1], n)
            self.assertEqual(command[-2:], ["a", "b"])
        self.assertEqual(alone, [fixers])

    def test_a_seed_is_done_when_the_same_was_asked(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "r.jsonl")
            self.assertEqual(lc.done(path, {"seed": 1}), [])
            with open(path, "w", encoding="utf-8") as f:
                f.write('{"asked": {"seed": 1, "bugs": 8}}\n\n{"asked": {"seed": 2, "bugs": 8}}\n')
            self.assertEqual(len(lc.done(path, {"seed": 2, "bugs": 8})), 1)
            self.assertEqual(lc.done(path, {"seed": 2, "bugs": 9}), [])


if __name__ == "__main__":
    unittest.main()
