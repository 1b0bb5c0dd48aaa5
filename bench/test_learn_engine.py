"""Tests of bench/learn-engine: what is read of a run.

    python3 -m unittest discover bench
"""

import importlib.machinery
import importlib.util
import json
import os
import sqlite3
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("learn_engine", os.path.join(os.path.dirname(os.path.abspath(__file__)), "learn-engine"))
le = importlib.util.module_from_spec(importlib.util.spec_from_loader("learn_engine", loader))
loader.exec_module(le)


class Reading(unittest.TestCase):
    def test_played_by_version(self):
        with tempfile.TemporaryDirectory() as run:
            with sqlite3.connect(os.path.join(run, "run.db")) as db:
                db.execute("CREATE TABLE episodes (episode INTEGER, version TEXT, checks TEXT)")
                db.execute("CREATE TABLE attempts (episode INTEGER, attempt INTEGER, version TEXT, outcome TEXT)")
                db.executemany("INSERT INTO episodes VALUES (?, ?, ?)", [(1, "0", json.dumps({"form": le.FORMS[0]})), (2, "u1", json.dumps({"form": le.FORMS[4]})),
                                                                         (3, "builtin", json.dumps({"files": "passed"})), (4, "builtin", "null")])
                db.executemany("INSERT INTO attempts VALUES (?, ?, ?, ?)", [(3, 1, "u1", "fixed"), (3, 2, "u1", "wrong"), (3, 3, "u1", "infrastructure"), (4, 1, "u2", "gave_up")])
            got = le.played(run)
        self.assertEqual(list(got), ["0", "u1", "u2"])
        self.assertEqual(got["0"]["forms"], [1, 0, 0, 0, 0])
        self.assertEqual((got["u1"]["forms"], got["u1"]["attempts"], got["u1"]["fixed"]), ([0, 0, 0, 0, 1], 2, 1))
        self.assertEqual((got["u2"]["attempts"], got["u2"]["fixed"]), (1, 0))

    def test_updates_are_those_of_the_log(self):
        with tempfile.TemporaryDirectory() as run:
            with open(os.path.join(run, "log.jsonl"), "w", encoding="utf-8") as f:
                f.write(json.dumps({"msg": "prepared"}) + "\n" + json.dumps({"msg": "learned", "update": {"version": "u1-a", "mismatch": 1e-8, "server": {}}}) + "\n")
            self.assertEqual(le.updates(run), [{"version": "u1-a", "mismatch": 1e-8}])

    def test_forms_are_breakfixs(self):
        with open(os.path.join(le.ROOT, "internal", "outcome", "outcome.go"), encoding="utf-8") as f:
            source = f.read()
        self.assertEqual([form for form in le.FORMS if f'"{form}"' not in source], [])


if __name__ == "__main__":
    unittest.main()
