"""Runs the package: imports modules and calls console entry points with --help."""

import importlib
import json
import sys
import traceback

from breakfix_channel import attach_inherited, done, send

attach_inherited()

with open("/breakfix/plan.json", encoding="utf-8") as f:
    STEPS = json.load(f)["steps"]
sys.path[:] = [p for p in sys.path if p not in ("/breakfix", "")]


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
