"""Makes calls and tells what they did. A worker makes them; one that hangs or dies is replaced."""

import json
import os
import random
import select
import signal
import sys
import time
import types

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "plan.json"), encoding="utf-8") as f:
    PLAN = json.load(f)
sys.path[:] = [p for p in sys.path if p not in ("", HERE)] + [HERE]
import breakfix_channel  # noqa: E402

breakfix_channel.attach_inherited()

import breakfix_places  # noqa: E402
import breakfix_tell  # noqa: E402
import breakfix_vary  # noqa: E402
import breakfix_write  # noqa: E402
from breakfix_express import ROOT, Code  # noqa: E402

for p in reversed(PLAN["path"]):
    sys.path.insert(0, os.path.normpath(ROOT + p))

CODE = Code(PLAN["code"])
TELLER = breakfix_tell.Teller(CODE)
_CPU = 0.4 if not PLAN.get("watch") else 2.0  # seconds of CPU time of one call
_WALL = 3.0  # of silence, after which a worker is replaced
_LIVES = 6
_MEMORY = 1 << 30


class Late(BaseException):
    pass


def late(*_):
    raise Late


class Watch:
    """Sees whether a call asks for the clock, for randomness or for the process."""

    names = {"now", "today", "utcnow", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "localtime", "gmtime",
             "urandom", "getpid", "getcwd", "random", "getrandbits", "getrandom", "times", "getenv"}
    files = ("/random.py", "/secrets.py", "/tempfile.py", "/socket.py", "/subprocess.py")

    def __init__(self):
        self.saw = ""

    def hook(self, frame, event, arg):
        if event == "c_call":
            name = getattr(arg, "__name__", "")
            if name in self.names and self.theirs(frame):
                owner = getattr(arg, "__self__", None)
                if isinstance(owner, (types.ModuleType, type, random.Random)) and getattr(owner, "__name__", "") != "builtins":
                    self.saw = name
        elif event == "call":
            file = frame.f_code.co_filename
            if file.endswith(self.files) and self.theirs(frame.f_back):
                self.saw = file

    def theirs(self, frame):
        """Whether it is not the standard library that asks: it does for reasons of its own."""
        file = frame.f_code.co_filename if frame is not None else ""
        return CODE.path(file) is not None or "site-packages" in file


def outcome(candidate):
    """What one call did: what it gave or raised, and what it left of its
    receiver and arguments."""
    ns = breakfix_tell.namespace(candidate["imports"], candidate["defs"])
    call = breakfix_tell.Call(candidate)
    out = {}
    watch = Watch() if PLAN.get("watch") else None
    signal.setitimer(signal.ITIMER_PROF, _CPU)
    try:
        try:
            make, subject, args = call.run(ns)
            before = [TELLER.describe(a, 0) for a in args]
        except Late:
            raise
        except BaseException as e:
            raise breakfix_tell.Unfit("the call cannot be prepared: %r" % type(e))
        try:
            if watch:
                sys.setprofile(watch.hook)
            try:
                out.update(TELLER.value(make()))
            finally:
                sys.setprofile(None)
        except (Late, breakfix_tell.Unfit):
            raise
        except RecursionError:
            out = {"error": "RecursionError"}
        except BaseException as e:
            out = TELLER.error(e)
        after = [TELLER.describe(a, 0) for a in args]
        out["changed"] = {}
        for i, (x, y) in enumerate(zip(before, after)):
            if x != y:
                try:
                    out["changed"][str(i)] = TELLER.plain(args[i])
                except Exception:
                    out["changed"][str(i)] = None
        if subject is not None and not isinstance(subject, (type, types.ModuleType)):
            out["state"] = TELLER.describe(subject, 0)
            out["left"] = TELLER.parts(subject)
        if watch and watch.saw:
            raise breakfix_tell.Unfit("it asks for " + watch.saw)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.setprofile(None)
    return out


def digest(o):
    return json.dumps([o.get("text"), o.get("how"), o.get("error"), o.get("message"), o.get("changed"), o.get("state"), o.get("type")])


def attempt(i, candidate):
    try:
        o = outcome(candidate)
    except Late:
        return {"i": i, "unfit": "late"}
    except breakfix_tell.Unfit as e:
        return {"i": i, "unfit": str(e)}
    except BaseException as e:
        return {"i": i, "unfit": repr(e)[:200]}
    if PLAN["mode"] == "bug":
        was = candidate["outcome"]
        if digest(o) == digest(was):
            return {"i": i}
        tests = []
        for text in breakfix_write.tests(candidate, was, o):
            if red(text):
                tests.append(text)
                break
        return {"i": i, "tests": tests}
    return {"i": i, "outcome": o}


def red(text):
    """Whether a test fails here."""
    signal.setitimer(signal.ITIMER_PROF, 3 * _CPU)
    try:
        ns = {"__name__": "test_breakfix"}
        exec(compile(text, "test_breakfix.py", "exec"), ns)
        for name in list(ns):
            if name.startswith("test_") and callable(ns[name]):
                ns[name]()
    except Late:
        return False
    except BaseException:
        return True
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return False


def work(pipe, todo, candidates):
    """Is the worker: never returns."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    try:
        import resource

        with open("/proc/self/statm") as f:
            size = int(f.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (size + _MEMORY, size + _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        pass
    signal.signal(signal.SIGPROF, late)
    if PLAN.get("watch"):  # elsewhere, so that what depends on the folder shows
        try:
            os.mkdir("/tmp/breakfix-elsewhere-%d" % os.getpid())
            os.chdir("/tmp/breakfix-elsewhere-%d" % os.getpid())
        except OSError:
            pass
    write, dumps = os.write, json.dumps
    for i in todo:
        data = memoryview(dumps({"at": i}).encode() + b"\n")
        write(pipe, data)
        data = memoryview(dumps(attempt(i, candidates[i])).encode("utf-8", "backslashreplace") + b"\n")
        while data:
            data = data[write(pipe, data):]
    os._exit(0)


def run(candidates, order):
    """Sends what each call did, in order."""
    until = time.monotonic() + PLAN["seconds"]
    todo, lives, found = list(order), _LIVES, 0
    while todo and lives and time.monotonic() < until:
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(r)
            try:
                work(w, todo, candidates)
            finally:
                os._exit(1)
        os.close(w)
        rest, at, over = b"", None, False
        while True:
            ready, _, _ = select.select([r], [], [], _WALL)
            data = os.read(r, 1 << 16) if ready else b""
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                try:
                    m = json.loads(line)
                except ValueError:
                    continue  # somebody else wrote into the pipe
                if "at" in m:
                    at = m["at"]
                    continue
                breakfix_channel.send("said", reason=line.decode("utf-8"))
                if m["i"] in todo:
                    todo.remove(m["i"])
                at = None
                found += bool(m.get("tests"))
            if found >= PLAN["enough"] or time.monotonic() > until:
                over = True
                break
        os.close(r)
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
        os.waitpid(pid, 0)
        if over:
            break
        if at in todo:  # it hung, or took the process with it
            todo.remove(at)
            lives -= 1
        elif todo:
            lives -= 1


def main():
    if PLAN["mode"] == "make":
        signal.alarm(10)
        signal.signal(signal.SIGALRM, late)
        candidates = breakfix_vary.candidates(PLAN["records"], CODE, PLAN["calls"], breakfix_places.words(PLAN["places"], PLAN["lines"]))
        signal.alarm(0)
        for i, c in enumerate(candidates):
            breakfix_channel.send("said", reason=json.dumps({"candidate": c}))
    else:
        candidates = PLAN["candidates"]
    loaded = set()
    for c in candidates:  # loaded before the workers are made
        for line in c["imports"].values():
            if line in loaded:
                continue
            loaded.add(line)
            try:
                exec(line, {})
            except Exception:
                pass
    if PLAN["mode"] == "bug":
        try:
            import pytest  # noqa: F401
        except ImportError:
            pass
    order = range(len(candidates))
    run(candidates, list(reversed(order)) if PLAN.get("watch") else list(order))
    breakfix_channel.done()


main()
