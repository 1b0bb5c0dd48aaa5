"""Tests of bench/peers' reading of other tools' output, on samples captured from them.

    python3 -m unittest discover bench
"""

import importlib.machinery
import importlib.util
import json
import os
import sys
import unittest

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("peers", os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
spec = importlib.util.spec_from_loader("peers", loader)
peers = importlib.util.module_from_spec(spec)
sys.modules["peers"] = peers
loader.exec_module(peers)

# mutmut 3.8.1, the end of `mutmut run` on boltons/strutils.py, and three of its exit codes of each kind
MUTMUT = (
    "\r⠏ 770/779  🎉 376 🫥 225  ⏰ 0  🤔 0  🙁 169  🔇 0  🧙 0\r⠦ 779/779  🎉 384 🫥 225  ⏰ 1  🤔 0  🙁 169  🔇 0  🧙 0\n"
    "15.25 mutations/second\n"
)
MUTMUT_META = json.loads("""{"exit_code_by_key": {
    "boltons.strutils.x_camel2under__mutmut_1": 33, "boltons.strutils.x_camel2under__mutmut_2": 33,
    "boltons.strutils.x_slugify__mutmut_1": 1, "boltons.strutils.x_slugify__mutmut_2": 0,
    "boltons.strutils.x_slugify__mutmut_3": 3, "boltons.strutils.x_split_punct_ws__mutmut_1": -24,
    "boltons.strutils.x_a10n__mutmut_1": -11, "boltons.strutils.x_a10n__mutmut_2": null},
    "hash_by_function_name": {}, "type_check_error_by_key": {}, "durations_by_key": {}, "estimated_durations_by_key": {}}""")

# pytest-gremlins 1.12.2 with two workers, cut off
GREMLINS = (
    "...............                                                          [100%]\n"
    "pytest-gremlins: Starting parallel execution with 2 workers\n"
    "\rpytest-gremlins: Progress 1/232\rpytest-gremlins: Progress 2/232\rpytest-gremlins: Progress 59/232"
)
GREMLINS_REPORT = json.loads("""{"summary": {"total": 5, "zapped": 2, "survived": 1, "timeout": 1, "error": 1, "pardoned": 0,
    "percentage": 60.0}, "files": {}, "results": [
    {"gremlin_id": "g001", "file_path": "strutils.py", "line_number": 96, "status": "zapped", "operator": "boolean",
     "description": "True to False", "killing_test": "unknown", "execution_time_ms": 812.5},
    {"gremlin_id": "g002", "file_path": "strutils.py", "line_number": 97, "status": "zapped", "operator": "return",
     "description": "return None", "killing_test": "unknown", "execution_time_ms": 799.1},
    {"gremlin_id": "g003", "file_path": "strutils.py", "line_number": 98, "status": "survived", "operator": "boundary",
     "description": "0 to 1", "execution_time_ms": 801.0},
    {"gremlin_id": "g004", "file_path": "strutils.py", "line_number": 99, "status": "timeout", "operator": "comparison",
     "description": "< to <=", "execution_time_ms": 30001.2},
    {"gremlin_id": "g005", "file_path": "strutils.py", "line_number": 99, "status": "error", "operator": "comparison",
     "description": "< to >", "error_output": "1 selected test(s) have no pytest node id"}]}""")


class Parsers(unittest.TestCase):
    def test_mutmut(self):
        self.assertEqual(
            peers.parse_mutmut([MUTMUT_META]),
            {"made": 8, "untested": 2, "executed": 5, "killed": 2, "survived": 1, "timed_out": 1, "other": 1},
        )
        self.assertEqual(peers.parse_mutmut([])["executed"], 0)
        self.assertEqual(peers.parse_mutmut_rate(MUTMUT), 15.25)
        self.assertIsNone(peers.parse_mutmut_rate("Failed to run clean test\n"))

    def test_cosmic_ray(self):
        rows = [("NORMAL", "KILLED", 0, 30), ("NORMAL", "SURVIVED", 0, 20), ("NORMAL", "KILLED", 1, 2),
                ("NO_TEST", None, None, 4), ("EXCEPTION", "INCOMPETENT", 0, 1), ("ABNORMAL", None, 0, 1)]
        self.assertEqual(
            peers.parse_cosmic_ray(rows),
            {"untested": 4, "executed": 54, "killed": 30, "survived": 20, "timed_out": 2, "other": 2},
        )

    def test_gremlins(self):
        self.assertEqual(
            peers.parse_gremlins(GREMLINS_REPORT),
            {"made": 5, "untested": 1, "executed": 4, "killed": 2, "survived": 1, "timed_out": 1, "other": 0},
        )
        self.assertEqual(peers.parse_gremlins_progress(GREMLINS), (59, 232))
        self.assertEqual(peers.parse_gremlins_progress("skipping mutation testing because a test failed"), (0, 0))

    def test_breakfix(self):
        self.assertEqual(
            peers.parse_breakfix('{"core": {"mutants": 287, "seconds": 9.0, "per_second": 31.9}}'),
            {"mutants": 287, "seconds": 9.0, "per_second": 31.9},
        )
        for text in ("", "breakfix: unexpected argument bench", "{}", '{"core": null}', "[]", '{"core": {"mutants": 1}}'):
            self.assertIsNone(peers.parse_breakfix(text), text)

    def test_breakfix_without_the_subcommand(self):
        absent = "breakfix: breakfix bench comes with a later version; this is 0.1.0-dev; see breakfix --help for what there is\n"
        self.assertEqual(peers.breakfix_failure(absent, 2), "breakfix bench exec is not there")
        self.assertIn("exit code 3", peers.breakfix_failure("breakfix: the base is red\n", 3))

    def test_source(self):
        self.assertEqual(peers.parse_source("pypi:boltons==26.2.0"), ("pypi", "boltons", "26.2.0"))
        self.assertEqual(peers.parse_source("some/folder"), ("folder", "some/folder", ""))
        for bad in ("pypi:boltons", "pypi:==1", "pypi:a b==1", "pypi:--x==1"):
            with self.assertRaises(ValueError, msg=bad):
                peers.parse_source(bad)


class Judging(unittest.TestCase):
    def test_a_tool_that_died_at_once_is_no_measurement(self):
        self.assertIn("only 0 mutants", peers.judge(peers.Turn(seconds=0.1, code=4)))
        self.assertIn("only 4 mutants", peers.judge(peers.Turn(executed=4, killed=4)))

    def test_a_tool_that_kills_nothing_ran_nothing(self):
        self.assertIn("killed no mutant", peers.judge(peers.Turn(executed=232, killed=0, survived=232)))
        self.assertEqual(peers.judge(peers.Turn(executed=59, killed=None)), "")

    def test_whole_runs_are_averaged(self):
        a = peers.Turn(seconds=30, preparation=10, made=100, executed=80, untested=20, killed=50, survived=30)
        b = peers.Turn(seconds=50, preparation=10, made=100, executed=80, untested=20, killed=49, survived=31)
        row = peers.summarise([a, b])
        self.assertEqual((row["seconds"], row["executed"], row["killed"]), (40, 80, 49))
        self.assertAlmostEqual(row["per_second"], 160 / 60)
        self.assertEqual(row["rates"], [4, 2])
        self.assertEqual(len([r for r in row["remarks"] if "differ" in r]), 1)

    def test_cpu_of_a_mutant_leaves_preparation_out(self):
        a = peers.Turn(executed=10, killed=5, survived=5, cpu=30, cpu_preparation=10)
        self.assertEqual(peers.summarise([a, a])["cpu_per_mutant"], 2)
        self.assertIsNone(peers.summarise([peers.Turn(executed=10, killed=5, survived=5, cpu=30)])["cpu_per_mutant"])

    def test_slices_are_added_up_and_judged_together(self):
        a = peers.Turn(seconds=20, preparation=10, made=1117, executed=3, killed=2, survived=1, slice=True)
        b = peers.Turn(seconds=10, made=1117, executed=4, killed=2, survived=2, slice=True)
        self.assertEqual(peers.judge(a), "")
        row = peers.summarise([a, b])
        self.assertEqual((row["seconds"], row["executed"], row["killed"], row["failed"]), (30, 7, 4, ""))
        self.assertAlmostEqual(row["per_second"], 7 / 20)
        self.assertIn("only 3", peers.summarise([a])["failed"])

    def test_a_failed_tool_shows_its_last_output(self):
        row = peers.summarise([peers.Turn(failed="only 0 mutants executed", tail="ImportError: x")])
        self.assertEqual((row["failed"], row["tail"]), ("only 0 mutants executed", "ImportError: x"))

    def test_table_and_ratio(self):
        rows = []
        for name, executed, seconds in (("mutmut", 80, 20), ("breakfix", 80, 2)):
            row = peers.summarise([peers.Turn(seconds=seconds, made=80, executed=executed, killed=40, survived=40)])
            row.update(name=name, version="1", workers=2, lacks="nothing")
            rows.append(row)
        rows.append({"name": "cosmic-ray", "version": "8", "failed": "its suite is not green", "tail": "E  boom", "remarks": []})
        text = peers.render(rows)
        self.assertEqual(len({len(line) for line in text.split("\n\n")[0].splitlines()}), 1)
        self.assertRegex(text, r"\| mutmut .*\| +10\.0 \|")
        self.assertRegex(text, r"\| cosmic-ray .* failed ")
        self.assertIn("    E  boom", peers.notes(rows))


class Processes(unittest.TestCase):
    def test_the_bound_ends_also_what_left_its_session(self):
        code = "import os, time\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0: time.sleep(60)\n os._exit(0)\nprint('up', flush=True); time.sleep(60)"
        peers.adopt_orphans()
        ran = peers.run([sys.executable, "-Sc", code], "/", dict(os.environ), 0.3, ["up"])
        self.assertTrue(ran.cut)
        self.assertLess(ran.until("up")["preparation"], ran.seconds)
        self.assertEqual(peers.descendants(), [])
        self.assertLess(ran.seconds, 5)


if __name__ == "__main__":
    unittest.main()
