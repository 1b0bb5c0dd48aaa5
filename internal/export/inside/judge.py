"""Grades in a container: runs the named tests and writes the reward.

Reads /tests/tests.json: {"args", "env", "files", "fail_to_pass", "pass_to_pass", "own"}.
Writes /logs/verifier/reward.json and details.json. Runs on CPython 3.9 and newer.
"""
import json
import os
import subprocess
import sys
import tempfile

TESTS = os.environ.get("BREAKFIX_TESTS", "/tests")
LOGS = os.environ.get("BREAKFIX_LOGS", "/logs/verifier")

# Files that change how tests run. What the tests did not bring is not obeyed.
CONFIGURATION = {"conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "sitecustomize.py", "usercustomize.py"}

REPORTER = '''
import json, os

OUT = open(os.environ["BREAKFIX_OUT"], "a")


def pytest_runtest_logreport(report):
    OUT.write(json.dumps([report.nodeid, report.when, report.outcome, hasattr(report, "wasxfail")]) + "\\n")
    OUT.flush()
'''


def strangers(own):
    for folder, folders, files in os.walk("."):
        folders[:] = [f for f in folders if f != ".git"]
        for name in files:
            path = os.path.relpath(os.path.join(folder, name), ".")
            if name in CONFIGURATION and path not in own:
                yield path


def run(plan):
    with tempfile.TemporaryDirectory() as tmp:
        with open(os.path.join(tmp, "breakfix_judge_report.py"), "w") as f:
            f.write(REPORTER)
        out = os.path.join(tmp, "out")
        open(out, "w").close()
        env = dict(os.environ, BREAKFIX_OUT=out)
        env["PYTHONPATH"] = os.pathsep.join([tmp] + [p for p in [env.get("PYTHONPATH")] if p])
        env.update(pair.split("=", 1) for pair in plan["env"])
        command = [sys.executable, "-m", "pytest", "-p", "breakfix_judge_report"] + plan["args"] + ["--tb=short", "-q"] + plan["files"]
        subprocess.run(command, env=env, stdin=subprocess.DEVNULL)
        passed = {}
        with open(out) as f:
            for line in f:
                try:
                    test, when, outcome, expected = json.loads(line)
                except ValueError:
                    continue
                if when == "call" and outcome == "passed" and not expected:
                    passed.setdefault(test, True)
                elif outcome != "passed" or expected:
                    passed[test] = False
    return {test for test, ok in passed.items() if ok}


def main():
    with open(os.path.join(TESTS, "tests.json")) as f:
        plan = json.load(f)
    for path in list(strangers(set(plan["own"]))):
        os.remove(path)
    green = run(plan)
    red = [t for t in plan["fail_to_pass"] if t not in green]
    broken = [t for t in plan["pass_to_pass"] if t not in green]
    reward = 0.0 if red or broken else 1.0
    with open(os.path.join(LOGS, "details.json"), "w") as f:
        json.dump({"still_red": red, "went_red": broken}, f, indent=1)
    with open(os.path.join(LOGS, "reward.json"), "w") as f:
        json.dump({"reward": reward}, f)
    return 0


if __name__ == "__main__":
    sys.exit(main())
