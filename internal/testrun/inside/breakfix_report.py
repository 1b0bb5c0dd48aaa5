"""Reports what each test did over the channel to the host. PYTEST_DONT_REWRITE

What the code under test prints or returns is never looked at.
"""

import os
import sys

from breakfix_channel import attach_inherited, clock, done, hold, is_main, send, substitute

_sub = substitute
_NOW = (clock,)  # in a tuple: libraries that freeze the clock replace module attributes
_ROOT = "/work/"


def _mask(text):
    return _sub("0x…", text)


def bounded(text, most):
    """Keeps head and tail of a long text."""
    if len(text) <= most:
        return text
    cut = most // 2
    return text[:cut] + "\n… %d characters left out …\n" % (len(text) - 2 * cut) + text[-cut:]


def text_of(value):
    try:
        return str(value)
    except BaseException as e:  # a broken __str__ of the target
        return "<its text cannot be made: %s>" % type(e).__name__


def failure(excinfo, own, rendered):
    """What is known of an exception: excinfo is pytest's, own the test's file."""
    value, tb = excinfo.value, excinfo.tb
    frames = []
    while tb is not None and len(frames) < 5000:
        code = tb.tb_frame.f_code
        name = code.co_filename
        if name.startswith(_ROOT):
            frames.append({"path": name[len(_ROOT):], "line": tb.tb_lineno or 0, "func": code.co_name})
        tb = tb.tb_next
    out = {"kind": type(value).__name__, "message": bounded(_mask(text_of(value)), 1000)}
    if rendered is None:
        rendered = "\n".join("E   " + line for line in (out["kind"] + ": " + out["message"]).splitlines())
    out["text"] = bounded(_mask(rendered), 8000)
    if isinstance(value, SyntaxError) and str(value.filename or "").startswith(_ROOT):
        frames.append({"path": value.filename[len(_ROOT):], "line": value.lineno or 0, "func": "<module>"})
    if frames:
        out["path"], out["line"] = frames[-1]["path"], frames[-1]["line"]
        lines = [f["line"] for f in frames if f["path"] == own]
        if lines:
            out["test_line"] = lines[-1]
        out["frames"] = frames if len(frames) <= 40 else frames[:20] + frames[-20:]
    return out


def crash(rep):
    """What a report says without an exception at hand (sub-tests)."""
    text = text_of(getattr(rep, "longrepr", "") or "")
    out = {"kind": "Failed", "message": bounded(_mask(text), 1000), "text": bounded(_mask(text), 8000)}
    at = getattr(getattr(rep, "longrepr", None), "reprcrash", None)
    if at is not None:
        message = text_of(at.message)
        head = message.split("\n", 1)[0].split(":", 1)[0].strip()
        if head.isidentifier():
            out["kind"] = head
        out["message"] = bounded(_mask(message), 1000)
        path = text_of(at.path)
        if path.startswith(_ROOT):
            path = path[len(_ROOT):]
        if not path.startswith("/"):
            out["path"], out["line"] = path, int(at.lineno or 0)
            out["frames"] = [{"path": path, "line": int(at.lineno or 0), "func": ""}]
    return out


class Fold:
    """The phases of one test, folded to one verdict."""

    def __init__(self):
        self.seen = {}
        self.sub_failed = None
        self.details = {}
        self.first = None

    def add(self, rep):
        if getattr(rep, "context", None) is not None or type(rep).__name__ in ("SubtestReport", "SubTestReport"):
            if rep.outcome == "failed":
                self.sub_failed = self.sub_failed or crash(rep)
            return
        # A plugin that runs a test again reports it again: the last one counts.
        self.seen[rep.when] = rep
        if rep.outcome == "failed" and rep.when not in self.details:
            self.details[rep.when] = crash(rep)

    def verdict(self):
        setup, call, down = self.seen.get("setup"), self.seen.get("call"), self.seen.get("teardown")
        if setup is not None and setup.outcome == "failed":
            return "errored", self.details.get("setup")
        if down is not None and down.outcome == "failed":
            return "errored", self.details.get("teardown")
        if self.sub_failed is not None or call is not None and call.outcome == "failed":
            detail = self.details.get("call")
            if self.sub_failed is not None and (detail is None or detail["kind"] == "Failed"):
                detail = self.sub_failed  # it says more than "contains 1 failed subtest"
            return "failed", detail
        if setup is not None and setup.outcome == "skipped":
            return "skipped", None
        if call is None:
            return "errored", {"kind": "NoReport", "message": "its call was not reported", "text": ""}
        if call.outcome == "skipped":
            return "skipped", None
        return "passed", None


def _plan():
    import json

    with open("/breakfix/plan.json", encoding="utf-8") as f:
        return json.load(f)


PLAN = _plan()
# A process that serves a warm copy of itself does so at one of two points:
# "bare", before anything of the target is loaded, or "collected", after the
# suite is. Without it this is the one process of a run.
WARM = PLAN.get("warm", "")
CAGE = WARMTH = DIRECT = COVER = None
if WARM:
    import breakfix_cage as CAGE
    import breakfix_direct as DIRECT
    import breakfix_warm as WARMTH
else:
    attach_inherited()
if PLAN.get("coverage"):
    from breakfix_cover import Cover

    COVER = Cover(PLAN["coverage"])


def _at_exit():
    # Reached without the completion mark: pytest ended in good order before
    # its session did (a conftest that does not import, a bad option).
    send("exit")


import atexit  # noqa: E402

atexit.register(_at_exit)

import pytest  # noqa: E402

if WARM == "bare":
    WARMTH.preload(PLAN.get("preload") or ())


def _red(verdict):
    return verdict in ("failed", "errored")


_UNSEEN = "\0not rendered"


def _unseen(excinfo, style=None):
    """Stands for what a failure looks like, which takes pytest longer than most tests."""
    return _UNSEEN


class Reporter:
    def __init__(self):
        self.fold = None
        self.running = None
        self.ids = []
        self.ended = 0
        self.adding = False  # files of ours are being collected in a child
        self.ask(PLAN)

    def ask(self, plan):
        wanted = plan.get("tests")
        self.wanted = None if wanted is None else {test: at for at, test in enumerate(wanted)}
        self.whole = tuple(plan.get("files") or ())  # of these files, every test
        self.decide = bool(plan.get("decide"))
        self.brief = bool(plan.get("brief"))
        # File and outermost name of the wanted tests, where no others are made.
        self.few = {tuple(test.split("[")[0].split("::")[:2]) for test in wanted} if plan.get("few") else None
        self.more = []  # files that are loaded after the others
        self.reverse = bool(plan.get("reverse"))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session):
        if self.brief:
            WARMTH.mute(session.config)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector):
        outcome = yield
        if outcome.excinfo is not None:
            return
        rep = outcome.get_result()
        if rep.outcome != "failed":
            return
        call = getattr(rep, "call", None)
        excinfo = getattr(call, "excinfo", None)
        missing, detail = "", crash(rep)
        if excinfo is not None:
            e, seen = excinfo.value, set()
            while e is not None and id(e) not in seen:
                seen.add(id(e))
                if isinstance(e, ModuleNotFoundError):
                    missing = e.name or ""
                    detail["message"] = bounded(_mask(text_of(e)), 1000)
                detail["kind"] = type(e).__name__
                cause = e.__cause__ or e.__context__
                if cause is None:
                    break
                e = cause
        send("uncollected", file=rep.nodeid.split("::")[0], missing=missing, failure=detail)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, collector, name, obj):
        if self.few is not None and isinstance(collector, pytest.Module) and (collector.nodeid, name) not in self.few and WARMTH.plain(obj):
            return []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        if self.more:
            WARMTH.load(items, self.more)
        if self.wanted is not None or self.whole:
            keep, drop = [], []
            for item in items:
                own = item.nodeid.split("::")[0] in self.whole
                ok = own or (self.wanted is not None and item.nodeid in self.wanted)
                (keep if ok else drop).append(item)
            if drop:
                config.hook.pytest_deselected(items=drop)
                items[:] = keep
        if self.decide and WARM == "bare":  # the likeliest first, as they were asked for
            items.sort(key=lambda item: self.wanted.get(item.nodeid, -1) if self.wanted else -1)
        if self.reverse:
            items.reverse()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session):
        if self.adding:
            return
        self.ids = [item.nodeid for item in session.items]
        tell = hold if self.brief else send  # its tests begin at once
        for i in range(0, len(self.ids), 200):
            tell("ids", ids=self.ids[i:i + 200])
        tell("collected", count=len(self.ids))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        if WARM == "collected":
            self.child(session)
        elif COVER is not None:
            COVER.tell_loading()
        # Between collecting and here pytest checks its configuration.
        (hold if self.brief and self.ids else send)("ready")
        if PLAN.get("collect_only"):
            flush(session.config)
            done(selected=len(self.ids), ended=0)

    def child(self, session):
        """Serves; goes on in every child, with the tests that it is asked for."""
        by_id = {}
        for item in session.items:
            by_id.setdefault(item.nodeid, []).append(item)
        warmth = WARMTH.Collected(session.config)
        warmth.know(session.items)
        # Kept: to let go of lists of all tests and functions writes to each of
        # these, and a child pays for every page that it is the first to write to.
        self.kept = by_id, session.items, self.ids, warmth
        body = CAGE.serve({"ids": self.ids, "pytest": pytest.__version__, "modules": warmth.modules(),
                           "cover": COVER.loading() if COVER is not None else None}, warmth.before)
        hello()
        warmth.enter()
        brief(session.config, body)
        if body.get("brief"):
            WARMTH.mute(session.config)
        if body.get("direct"):
            DIRECT.run(body["tests"], failure, *warmth.compiled.direct(body, session.config))
        chosen = [item for test in body["tests"] for item in by_id.get(test, ())]
        own = []
        if body.get("own"):
            self.ask(body)
            if body.get("brief"):
                WARMTH.plain_assertions(session.config)
            self.adding = True
            own = warmth.collect(session, body["own"])
            self.adding = False
        self.ask(body)
        session.items = chosen[::-1] if self.reverse else chosen
        session.items += own
        self.ids = []
        self.pytest_collection_finish(session)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        self.fold, self.running = Fold(), item.nodeid
        if self.brief:
            item.repr_failure = item._repr_failure_py = _unseen
        if COVER is not None:
            COVER.begin()
        send("start", id=item.nodeid)
        began = _NOW[0]()
        outcome = yield
        took = _NOW[0]() - began
        if COVER is not None and is_main():
            COVER.end(item.nodeid)
        fold, self.fold, self.running = self.fold, None, None
        if not is_main():
            return
        if outcome.excinfo is not None:  # pytest.exit, KeyboardInterrupt, an internal error
            kind = outcome.excinfo[0].__name__
            send("end", id=item.nodeid, verdict="errored", seconds=took, stop=True,
                 failure={"kind": kind, "message": "the test ended the whole session: " + kind, "text": ""})
            self.ended += 1
            return
        verdict, detail = fold.verdict()
        self.ended += 1
        if detail is None:
            (send if nextitem is None else hold)("end", id=item.nodeid, verdict=verdict, seconds=took)
        else:
            decides = self.decide and _red(verdict)
            (hold if decides else send)("end", id=item.nodeid, verdict=verdict, seconds=took, failure=detail)
        if self.decide and _red(verdict):
            # Not by pytest's own way to stop: it renders a traceback of itself.
            flush(item.config)
            done(selected=len(self.ids), ended=self.ended)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        if outcome.excinfo is not None or self.fold is None or call.excinfo is None:
            return
        rep = outcome.get_result()
        if rep.outcome == "failed":
            own = item.nodeid.split("::")[0]
            text = text_of(rep.longrepr) if rep.longrepr is not None else ""
            if text == _UNSEEN:
                text = None
            # The first counts: of a test with sub-tests that is the first of these.
            self.fold.details.setdefault(rep.when, failure(call.excinfo, own, text))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report):
        if self.fold is not None and getattr(report, "nodeid", None) == self.running:
            self.fold.add(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        if not is_main():
            return
        flush(session.config)
        done(selected=len(self.ids), ended=self.ended)


def flush(config):
    """What pytest printed is for the log, and it is about to be left."""
    try:
        config.get_terminal_writer().flush()
    except Exception:
        pass


def pytest_warning_recorded(warning_message):
    """Warnings of collecting that point to a plugin that is not installed."""
    if PLAN.get("collect_only"):
        text = text_of(warning_message.message)
        if text.startswith("Unknown "):
            send("hint", reason=bounded(text, 300))


REPORTER = [Reporter()]


def brief(config, plan):
    """Leaves the source and the values out of what a failure looks like."""
    if plan.get("brief"):
        config.option.tbstyle = "line"


def pytest_configure(config):
    brief(config, PLAN)
    config.pluginmanager.register(REPORTER[0], "breakfix-reporter")


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    """The last moment before code of the target is loaded."""
    if WARM == "bare":
        warmth = WARMTH.Bare(early_config, PLAN.get("compile") or ())
        body = CAGE.serve({"pytest": pytest.__version__, "tainted": WARMTH.tainted()}, warmth.before)
        hello()
        warmth.enter()
        if body.get("direct"):
            DIRECT.run(body["tests"], failure, *warmth.compiled.direct(body, early_config))
        PLAN.update(body)
        REPORTER[0].ask(body)
        paths = body["paths"]
        if body.get("few"):
            paths, REPORTER[0].more = WARMTH.apart(paths, {test[0] for test in REPORTER[0].few})
        args.extend(paths)
        early_config.known_args_namespace.file_or_dir = list(paths)
    yield


def hello():
    send("hello", pytest=pytest.__version__, python="%d.%d.%d" % sys.version_info[:3])


if not WARM:
    hello()
