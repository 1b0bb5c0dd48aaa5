"""Runs tests of trees held in memory, many times a second, in one process.

One JSON object a line: {"files": {path: text}, "tests": [id] or null, "only": [path],
"reverse": bool}; one a line comes back. For small targets of plain functions that
the tests write themselves: no fixtures, no isolation.
"""
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
import traceback

TREE = {}
MODULES = {}  # by name: the path, or "" of a folder
CODE = {}


class Hang(BaseException):
    pass


def hang(*_):
    raise Hang("took too long")


signal.signal(signal.SIGALRM, hang)


def module_name(path):
    parts = path[:-3].split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def compiled(path, text):
    if (path, text) not in CODE:
        if len(CODE) > 2000:
            CODE.clear()
        CODE[path, text] = compile(text, path, "exec", dont_inherit=True)
    return CODE[path, text]


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name not in MODULES:
            return None
        p = MODULES[name]
        return importlib.machinery.ModuleSpec(name, self, origin=p, is_package=not p or p.endswith("__init__.py"))

    def exec_module(self, module):
        p = module.__spec__.origin
        if p:
            exec(compiled(p, TREE[p]), module.__dict__)


sys.meta_path.insert(0, Finder())


def failure(error):
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in TREE]
    last = frames[-1] if frames else None
    test = [f for f in frames if "test_" in f.filename]
    return {
        "kind": type(error).__name__,
        "message": str(error)[:500],
        "path": last.filename if last else "",
        "line": last.lineno if last else 0,
        "test_line": test[-1].lineno if test else 0,
        "frames": [{"path": f.filename, "line": f.lineno, "func": f.name} for f in frames],
        "text": "%s: %s" % (type(error).__name__, error),
    }


def run(want):
    TREE.clear()
    TREE.update(want["files"])
    MODULES.clear()
    for p in TREE:
        parts = p.split("/")
        for i in range(1, len(parts)):
            MODULES.setdefault(".".join(parts[:i]), "")
        if p.endswith(".py"):
            MODULES[module_name(p)] = p
    for name in list(sys.modules):
        if name in MODULES:
            del sys.modules[name]
    out = {"results": {}, "failures": {}, "uncollected": {}}
    paths = want["only"] or sorted({t.split("::")[0] for t in want["tests"]} if want["tests"] else [p for p in TREE if os.path.basename(p).startswith("test_")])
    tests = []
    for p in paths:
        try:
            module = importlib.import_module(module_name(p))
        except Exception as e:
            out["uncollected"][p] = failure(e)
            continue
        for name, value in list(vars(module).items()):
            if name.startswith("test_") and callable(value) and value.__module__ == module.__name__:
                tests.append(("%s::%s" % (p, name), value))
    if want["reverse"]:
        tests.reverse()
    for test, call in tests:
        if want["tests"] and test not in want["tests"]:
            continue
        verdict = "passed"
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        try:
            call()
        except Hang as e:
            verdict, out["failures"][test] = "timed_out", failure(e)
        except Exception as e:
            verdict, out["failures"][test] = "failed", failure(e)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        out["results"][test] = verdict
    return out


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
