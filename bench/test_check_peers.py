"""Tests of bench/check-peers: what makes two mutants the same, and reading what each tool says.

    python3 -m unittest discover bench
"""

import importlib.machinery
import importlib.util
import os
import sys
import unittest

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("check_peers", os.path.join(os.path.dirname(os.path.abspath(__file__)), "check-peers"))
cp = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_peers", loader))
loader.exec_module(cp)

SOURCE = "LIMIT = 3\n\n\ndef f(a, b):\n    x = '𝒳'; return a + b\n\n\nclass C:\n    @staticmethod\n    def m(a):\n        return -a\n"

# cosmic-ray 8.7.0, work_results.diff
DIFF = """--- mutation diff ---
--- am.py
+++ bm.py
@@ -2,7 +2,7 @@
 
 
 def f(a, b):
-    x = '𝒳'; return a + b
+    x = '𝒳'; return a - b
 
 
 class C:"""


class Keys(unittest.TestCase):
    def test_the_same_change_has_the_same_key_whatever_its_spelling(self):
        o = cp.Original(SOURCE)
        one = o.key(SOURCE.replace("a + b", "a - b"))
        self.assertEqual(one, o.key(SOURCE.replace("a + b", "(a  -  b)")))
        self.assertEqual(one[0], "f")
        self.assertNotEqual(one, o.key(SOURCE.replace("a + b", "a * b")))
        self.assertEqual(o.key(SOURCE.replace("-a", "a"))[0], "C.m")

    def test_what_is_no_change_or_does_not_parse_has_none(self):
        o = cp.Original(SOURCE)
        self.assertIsNone(o.key(SOURCE.replace("a + b", "(a + b)")))
        self.assertIsNone(o.key(SOURCE.replace("a + b", "a +")))

    def test_a_change_outside_of_a_body_is_one_of_the_whole_file(self):
        o = cp.Original(SOURCE)
        for before, after in (("LIMIT = 3", "LIMIT = 4"), ("    @staticmethod\n", "")):
            self.assertEqual(o.key(SOURCE.replace(before, after))[0], "")


class Reading(unittest.TestCase):
    def test_all_three_come_to_the_same_mutant(self):
        at = lambda column: {"line": 5, "column": column}
        report = {
            "files": {"m.py": {"source": SOURCE, "mutants": [
                # the wide character before it is two units
                {"id": "1", "mutatorName": "arithmetic_operator_replace", "status": "Survived", "replacement": "-", "location": {"start": at(24), "end": at(25)}}]}},
            "testFiles": {},
        }
        ours = cp.read_breakfix(report)
        generated = "def x_f__mutmut_orig(a, b):\n    x = '𝒳'; return a + b\n\ndef x_f__mutmut_1(a, b):\n    x = '𝒳'; return a - b\n\n\nclass C:\n    def xǁCǁm__mutmut_1(a):\n        return +a\n"
        mutmut = cp.read_mutmut("m.py", SOURCE, generated, {"m.x_f__mutmut_1": 1, "m.xǁCǁm__mutmut_1": 33})
        cosmic = cp.read_cosmic_ray("m.py", SOURCE, [
            ("j", "core/ReplaceBinaryOperator_Add_Sub", 5, "NORMAL", "KILLED", "1 failed", DIFF), ("k", "core/x", 5, None, None, None, None)])
        self.assertEqual(ours[0].key[0], "f")
        self.assertEqual(ours[0].key, mutmut[0].key)
        self.assertEqual(ours[0].key, cosmic[0].key)
        self.assertEqual([m.verdict for m in mutmut], [cp.NOTICED, cp.UNTESTED])
        self.assertEqual([m.verdict for m in cosmic], [cp.NOTICED, cp.NOT_RUN])
        found, shared = cp.differences({"breakfix": ours, "mutmut": mutmut, "cosmic-ray": cosmic})
        self.assertEqual(len(found), 2)
        self.assertEqual(shared["mutmut", "cosmic-ray"], 1)
        self.assertEqual(found[0]["breakfix"][0]["verdict"], cp.MISSED)
        self.assertIn("return a - b", found[0]["text"])

    def test_a_diff_that_does_not_fit_gives_nothing(self):
        self.assertIsNone(cp.patched("x = 1\n", DIFF))
        self.assertIsNone(cp.patched(SOURCE, ""))
        self.assertEqual(cp.patched(SOURCE, DIFF), SOURCE.replace("a + b", "a - b"))

    def test_names_of_mutmut(self):
        self.assertEqual(cp.name_of_mutmut("pkg.m.x_f__mutmut_12"), "f")
        self.assertEqual(cp.name_of_mutmut("pkg.m.xǁCǁ_m__mutmut_1"), "C._m")
        self.assertEqual(cp.name_of_mutmut("pkg.m.x__f__mutmut_1"), "_f")


if __name__ == "__main__":
    unittest.main()
