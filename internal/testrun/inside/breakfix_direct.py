"""Calls test functions without pytest, in a child of a warm process. PYTEST_DONT_REWRITE

To collect a file takes pytest far longer than to run the few lines that are in
it. No fixture, mark or hook has a say here, but for what assertions tell.
"""

import os
import sys
import types
import unittest

from breakfix_channel import clock, done, send

_ROOT = "/work/"
_SKIPS = ("Skipped", "SkipTest")


def run(tests, failure, code, config):
    """Runs the tests, named as pytest does, and ends the process. failure makes what is told of an exception, code what a file
    compiles to; config is pytest's, None where nobody reads what assertions tell."""
    telling = _tell(config) if config is not None else None  # noqa: F841, it is to stay alive
    send("ids", ids=tests)
    send("collected", count=len(tests))
    send("ready")
    ended, modules = 0, {}
    for test in tests:
        path, _, name = test.partition("::")  # "test_x", or "Class::test_x"
        try:
            if path not in modules:
                modules[path] = None
                modules[path] = _load(path, code)
        except BaseException as e:
            more = failure(types.SimpleNamespace(value=e, tb=e.__traceback__), path, "")
            send("uncollected", file=path, missing=getattr(e, "name", "") if isinstance(e, ModuleNotFoundError) else "", failure=more)
        if modules[path] is None:
            continue
        send("start", id=test)
        began = clock()
        verdict, more = "passed", {}
        try:
            _call(modules[path], name)
        except BaseException as e:
            if type(e).__name__ in _SKIPS:
                verdict = "skipped"
            else:
                verdict, more = "failed", {"failure": failure(types.SimpleNamespace(value=e, tb=e.__traceback__), path, "")}
        ended += 1
        send("end", id=test, verdict=verdict, seconds=clock() - began, **more)
    done(selected=len(tests), ended=ended)


def _call(module, name):
    holder, _, method = name.rpartition("::")
    if not holder:
        getattr(module, method)()
        return
    cls = getattr(module, holder)
    if issubclass(cls, unittest.TestCase):
        cls.setUpClass()
        cls(method).debug()  # raises what the test raises
        cls.tearDownClass()
    else:
        getattr(cls(), method)()


def _tell(config):
    """Has failed assertions tell what pytest has them tell. What does that is
    alive as long as the result is."""
    try:
        from _pytest import assertion

        for name, value in vars(config.known_args_namespace).items():
            if not hasattr(config.option, name):  # the command line was not taken in yet
                setattr(config.option, name, value)
        telling = assertion.pytest_runtest_protocol(types.SimpleNamespace(config=config, ihook=config.hook))
        next(telling)
        return telling
    except Exception:
        return None  # another pytest: they tell less


def _load(path, code):
    """Imports a test file as pytest does."""
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
    compiled = code(path)
    sys.modules[name] = module
    exec(compiled, vars(module))
    return module
