"""Writes what each test did to the file BUGTEST_REPORT, as JSON lines."""
import json, os, sys, threading

root = os.getcwd() + os.sep
out = open(os.environ["BUGTEST_REPORT"], "a", buffering=1)
wanted = json.loads(os.environ["BUGTEST_TESTS"])
lines, current = {}, [""]


def say(**k):
    out.write(json.dumps(k) + "\n")


def trace(frame, event, arg):
    name = frame.f_code.co_filename
    if not name.startswith(root):
        return None
    lines.setdefault(current[0], {}).setdefault(name[len(root):], set()).add(frame.f_lineno)
    return trace


if os.environ.get("BUGTEST_TRACE"):
    threading.settrace(trace)
    sys.settrace(trace)


def pytest_collection_modifyitems(items):
    if wanted is not None:
        items[:] = [i for i in items if i.nodeid in wanted or i.nodeid.split("::")[0] in wanted]
        items[:] = [i for i in items if "-" + i.nodeid not in wanted]
    if os.environ.get("BUGTEST_REVERSE"):
        items.reverse()


def pytest_collectreport(report):
    if report.failed:
        say(uncollected=report.nodeid, error=str(report.longrepr)[-400:])


def pytest_runtest_logstart(nodeid, location):
    current[0] = nodeid
    say(start=nodeid)


def pytest_runtest_makereport(item, call):
    if call.excinfo is None:
        return
    e = call.excinfo
    frames = [(str(t.path), t.lineno + 1) for t in e.traceback]
    mine = [line for p, line in frames if p == str(item.path)]
    say(kind=e.typename, test=item.nodeid, message=str(e.value)[:300], line=mine[-1] if mine else 0)


def pytest_runtest_logreport(report):
    v = report.outcome
    if v == "failed" and report.when != "call":
        v = "errored"
    say(test=report.nodeid, phase=report.when, verdict=v, seconds=report.duration)


def pytest_runtest_logfinish(nodeid, location):
    current[0] = "-"


def pytest_sessionfinish():
    sys.settrace(None)
    for test, files in lines.items():
        say(lines=test, files={f: sorted(n) for f, n in files.items()})
    say(done=1)
