"""Calls test functions without pytest, in a child of a warm process. PYTEST_DONT_REWRITE

To collect a file takes pytest far longer than to run the few lines that are in
it. No fixture, mark or hook has a say here.
"""

import os
import sys
import types

from breakfix_channel import clock, done, send

_ROOT = "/work/"
_SKIPS = ("Skipped", "SkipTest")


def run(tests, failure):
    """Runs the tests, named as pytest does, each of a file of its own, and ends
    the process. failure makes what is told of an exception."""
    send("ids", ids=tests)
    send("collected", count=len(tests))
    send("ready")
    for test in tests:
        path, _, name = test.partition("::")
        send("start", id=test)
        began = clock()
        verdict, more = "passed", {}
        try:
            getattr(_load(path), name)()
        except BaseException as e:
            if type(e).__name__ in _SKIPS:
                verdict = "skipped"
            else:
                verdict, more = "failed", {"failure": failure(types.SimpleNamespace(value=e, tb=e.__traceback__), path, "")}
        send("end", id=test, verdict=verdict, seconds=clock() - began, **more)
    done(selected=len(tests), ended=len(tests))


def _load(path):
    """Imports a test file as pytest does, but for its assertions, which stay as
    they are written."""
    folder, name = os.path.dirname(path), os.path.basename(path)[:-3]
    package = ""
    while folder and os.path.exists(_ROOT + folder + "/__init__.py"):
        package = os.path.basename(folder) + ("." + package if package else "")
        folder = os.path.dirname(folder)
    top = (_ROOT + folder).rstrip("/")
    if top not in sys.path:
        sys.path.insert(0, top)
    if package:
        __import__(package)
        name = package + "." + name
    module = types.ModuleType(name)
    module.__file__ = _ROOT + path
    module.__package__ = package
    with open(_ROOT + path, "rb") as f:
        code = compile(f.read(), _ROOT + path, "exec", dont_inherit=True)
    sys.modules[name] = module
    exec(code, vars(module))
    return module
