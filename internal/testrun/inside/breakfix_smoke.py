"""Runs the package: imports modules and calls console entry points with --help."""

import importlib
import json
import os
import sys
import traceback

with open("/breakfix/plan.json", encoding="utf-8") as f:
    PLAN = json.load(f)
from breakfix_channel import attach_inherited, done, send

FIRST = set(sys.modules)  # of every process that runs this
if PLAN.get("serve"):
    import breakfix_cage

sys.path[:] = [p for p in sys.path if p not in ("/breakfix", "")]


def loads(name):
    """Imports a module; returns the submodules that are loaded with it."""
    before = set(sys.modules)
    try:
        importlib.import_module(name)
    except BaseException:
        return None
    new = [m for m in sys.modules if m not in before]
    if any(str(getattr(sys.modules[m], "__file__", "")).startswith("/work/") for m in new):
        return None
    return [m for m in new if "." in m]


def apart(name):
    """The same in a throw-away child."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        with os.fdopen(w, "w", encoding="utf-8") as f:
            json.dump(loads(name), f)
        os._exit(0)
    os.close(w)
    with os.fdopen(r, encoding="utf-8") as f:
        text = f.read()
    os.waitpid(pid, 0)
    return json.loads(text) if text else None


def preload(names):
    """Loads what the tree needs from elsewhere. A module that loads a submodule
    which is not there by importing its package alone is left out: code that
    forgot to import that one would run here, and in no fresh process."""
    tops = list(dict.fromkeys(n.partition(".")[0] for n in names))
    alone = {n: apart(n) for n in tops if n not in sys.modules}
    for name, sub in alone.items():
        if sub is not None and name not in sys.modules:
            more = apart(name)
            if more is not None and all(m in (alone.get(m.partition(".")[0]) or ()) for m in more):
                loads(name)


if PLAN.get("serve"):
    preload(PLAN["preload"])
    STEPS = breakfix_cage.serve({"modules": sorted(set(sys.modules) - FIRST)})["steps"]
    importlib.invalidate_caches()
else:
    attach_inherited()
    STEPS = PLAN["steps"]


def where(e):
    """The innermost place in the tree, for the reason."""
    at = ""
    for frame in traceback.extract_tb(e.__traceback__):
        if frame.filename.startswith("/work/"):
            at = " at %s:%d" % (frame.filename[6:], frame.lineno)
    return at


def text(e):
    try:
        return str(e)[:300]
    except BaseException:
        return ""


def run(step):
    if step["kind"] == "import":
        importlib.import_module(step["name"])
        return ""
    module, _, attribute = step["target"].partition(":")
    call = importlib.import_module(module)
    for part in attribute.split("."):
        call = getattr(call, part)
    sys.argv = [step["name"], "--help"]
    try:
        status = call()
    except SystemExit as e:
        status = e.code
    if status in (None, 0, False, True):
        return ""
    return "ended with status %s" % (text(status) if isinstance(status, str) else repr(status)[:100])


for step in STEPS:
    label = step["kind"] + " " + step["name"]
    send("step", step=label)
    try:
        reason = run(step)
    except BaseException as e:
        reason = "raised %s: %s%s" % (type(e).__name__, text(e), where(e))
    send("stepped", step=label, reason=reason)
done()
