"""A linter that stays warm: each request is one call of it, in a child.

What a child says is what the tool's own command would say: it goes through the
tool's entry point with the same arguments.
"""

import breakfix_cage  # first: it takes descriptor 3

import importlib
import io
import json
import os
import signal
import sys
import traceback

import breakfix_channel

with open("/breakfix/plan.json", encoding="utf-8") as f:
    PLAN = json.load(f)
sys.path[:] = [p for p in sys.path if p not in ("/breakfix", "")]
TREE = "/work/"
PIECE = 1 << 18  # characters of one message


class Late(BaseException):
    """Reading ahead took too long."""


def late(*_):
    raise Late


def ahead(work, seconds):
    """Does work in a throw-away child and returns what it wrote, so that nothing
    of it is left in this process."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        with os.fdopen(w, "w", encoding="utf-8") as out:
            try:
                signal.signal(signal.SIGALRM, late)
                signal.alarm(seconds)
                work(out)
            except BaseException:
                pass  # what is not known ahead is found out by each request
            signal.alarm(0)
        os._exit(0)
    os.close(w)
    with os.fdopen(r, encoding="utf-8") as f:
        text = f.read()
    os.waitpid(pid, 0)
    return text


def pylint():
    from pylint.lint import PyLinter, Run

    check = PyLinter.check

    def serve(linter, canary):
        names = read_ahead(lambda: check(linter, canary + PLAN["files"]))
        body = breakfix_cage.serve({"modules": names})
        importlib.invalidate_caches()
        files = canary + (body["files"] or [])
        linter.config.files = files
        return check(linter, files)

    PyLinter.check = serve
    Run(PLAN["argv"])


def read_ahead(lint):
    """Reads the modules outside of the tree that linting the whole package
    needs. The package itself stays unread, and nothing is inferred: only so does
    a child infer what a fresh process does."""
    import functools
    import gc
    import resource

    from astroid import MANAGER

    def work(out):
        try:
            lint()
        finally:
            json.dump([n for n, m in MANAGER.astroid_cache.items() if not (m.file or "").startswith((TREE, "/breakfix/"))], out)

    try:
        wanted = json.loads(ahead(work, PLAN["seconds"]))
    except ValueError:
        wanted = []
    own = set(MANAGER.astroid_cache)
    avoid = set(PLAN["avoid"])  # the tree's own names, which a child may look up there
    for name in wanted:
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > PLAN["memory"] >> 10:
            break
        if name.partition(".")[0] not in avoid:
            try:
                MANAGER.ast_from_module_name(name)
            except Exception:
                pass
    # Where modules lie may be another matter in a changed tree.
    MANAGER._mod_file_cache.clear()
    for o in gc.get_objects():
        if isinstance(o, functools._lru_cache_wrapper) and str(o.__module__).startswith(("astroid.interpreter", "astroid.modutils", "astroid.util")):
            o.cache_clear()
    return sorted(set(MANAGER.astroid_cache) - own)


def mypy():
    from mypy import main, modulefinder

    def work(out):
        main.main(args=PLAN["argv"] + PLAN["files"], stdout=io.StringIO(), stderr=io.StringIO(), clean_exit=True)

    # The canary is not among the files: it is checked in every child.
    ahead(work, PLAN["seconds"])
    try:
        modulefinder.get_search_dirs(PLAN["python"])  # asks that interpreter, once
    except Exception:
        pass
    body = breakfix_cage.serve({})
    for path in body["changed"] or ():
        # mypy believes a file whose second and size are those that it knows.
        if os.path.lexists(TREE + path):
            os.utime(TREE + path, (2**31 - 1, 2**31 - 1), follow_symlinks=False)
    main.main(args=PLAN["argv"] + PLAN["canary"] + (body["files"] or []), stdout=sys.stdout, stderr=sys.stderr, clean_exit=True)


def call(tool):
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    status = 0
    try:
        tool()
    except SystemExit as e:
        status = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
    except BaseException:
        traceback.print_exc()
        status = 1
    breakfix_channel.send("answer")
    for kind, stream in (("stdout", sys.stdout), ("stderr", sys.stderr)):
        text = stream.getvalue()
        for i in range(0, len(text), PIECE):
            breakfix_channel.send(kind, reason=text[i:i + PIECE])
    breakfix_channel.send("status", ended=status)
    breakfix_channel.done()
    # Only a process that could not begin to serve comes here.
    sys.__stderr__.write(sys.stderr.getvalue())
    sys.__stderr__.flush()
    os._exit(1)


call({"pylint": pylint, "mypy": mypy}[PLAN["tool"]])
