"""Records the calls by which tests come to a place of the code. PYTEST_DONT_REWRITE

A plugin of pytest. While a test runs, every call of the target's code is seen;
of those that can be written down, the ones below which the place ran are sent.
"""

import ast
import json
import os
import sys
import types

from breakfix_channel import attach_inherited, done, send

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "plan.json"), encoding="utf-8") as _f:
    PLAN = json.load(_f)
attach_inherited()

import pytest  # noqa: E402

import breakfix_places  # noqa: E402
from breakfix_express import ROOT, Code, Writer, used  # noqa: E402

CODE = Code(PLAN["code"])
_EACH = 60  # calls that are written down of one function before any came to the place
_HOT = 400  # and after one has
_PAUSABLE = 0x20 | 0x80 | 0x200  # generator, coroutine, asynchronous generator
_CALLS = 250  # that are sent

UNARY = {"__len__": "len(_r_)", "__iter__": "list(_r_)", "__repr__": "repr(_r_)", "__str__": "str(_r_)", "__bool__": "bool(_r_)",
         "__reversed__": "list(reversed(_r_))", "__abs__": "abs(_r_)", "__neg__": "-_r_", "__int__": "int(_r_)", "__float__": "float(_r_)",
         "__next__": "next(_r_)", "__invert__": "~_r_", "__hash__": None, "__enter__": None}
BINARY = {"__getitem__": "_r_[%s]", "__delitem__": "del _r_[%s]", "__contains__": "%s in _r_", "__eq__": "_r_ == %s", "__ne__": "_r_ != %s",
          "__lt__": "_r_ < %s", "__le__": "_r_ <= %s", "__gt__": "_r_ > %s", "__ge__": "_r_ >= %s", "__add__": "_r_ + %s", "__sub__": "_r_ - %s",
          "__mul__": "_r_ * %s", "__or__": "_r_ | %s", "__and__": "_r_ & %s", "__xor__": "_r_ ^ %s", "__truediv__": "_r_ / %s",
          "__floordiv__": "_r_ // %s", "__mod__": "_r_ %% %s", "__pow__": "_r_ ** %s", "__matmul__": "_r_ @ %s",
          "__radd__": "%s + _r_", "__rsub__": "%s - _r_", "__rmul__": "%s * _r_"}


class Function:
    """What is known of one code object of the target."""

    def __init__(self, code, path):
        self.code, self.path = code, path
        self.pausable = bool(code.co_flags & _PAUSABLE)
        self.qualname = qualnames(path).get((code.co_firstlineno, code.co_name))
        self.target = path in WHOLE and code.co_name != "<module>" or (path, code.co_firstlineno, code.co_name) in TARGETS
        self.hot = self.target
        self.seen = 0
        self.entry = None  # (kind, module, qualname, function) once looked up
        self.looked = False
        self.public = self.qualname is not None and not any(p.startswith("_") and not p.endswith("__") for p in self.qualname.split("."))
        self.new = code.co_name == "__new__"
        self.init = code.co_name == "__init__"

    def look(self):
        """Finds by which name the function is had."""
        self.looked = True
        if self.qualname is None:
            return
        for module in modules_at(self.path):
            at, owner = sys.modules[module], None
            parts = self.qualname.split(".")
            for p in parts[:-1]:
                at = at.__dict__.get(p)
                owner = at
                if not isinstance(at, type):
                    break
            else:
                raw = at.__dict__.get(parts[-1])
                kind = "function" if owner is None else "method"
                if isinstance(raw, classmethod):
                    kind, raw = "class", raw.__func__
                elif isinstance(raw, staticmethod):
                    kind, raw = "static", raw.__func__
                elif isinstance(raw, property):
                    kind, raw = "property", raw.fget
                elif type(raw).__name__ in ("cached_property", "cachedproperty", "memoized_property"):
                    kind, raw = "property", getattr(raw, "func", None)
                for _ in range(5):
                    if raw is None or getattr(raw, "__code__", None) is self.code:
                        break
                    raw = getattr(raw, "__wrapped__", None)
                if raw is not None:
                    self.entry = (kind, module, self.qualname, raw)
                    return


_names, _modules = {}, {}


def qualnames(path):
    """(first line, name) of each function of a file that is no function's own → its qualified name."""
    if path not in _names:
        out = {}

        def visit(body, prefix):
            for n in body:
                if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    first = min([n.lineno] + [d.lineno for d in n.decorator_list])
                    out[first, n.name] = prefix + n.name
                elif isinstance(n, ast.ClassDef):
                    visit(n.body, prefix + n.name + ".")
                elif isinstance(n, (ast.If, ast.Try, ast.With)):
                    visit(n.body + getattr(n, "orelse", []) + [x for h in getattr(n, "handlers", []) for x in h.body], prefix)

        try:
            with open(ROOT + path, "rb") as f:
                visit(ast.parse(f.read()).body, "")
        except (OSError, SyntaxError, ValueError):
            pass
        _names[path] = out
    return _names[path]


def modules_at(path):
    if path not in _modules:
        _modules[path] = sorted((n for n, m in list(sys.modules.items()) if CODE.path(getattr(m, "__file__", None) or "") == path and n != "__main__"),
                                key=lambda n: (-len(n), n))
    return _modules[path]


TARGETS, WHOLE = breakfix_places.targets(PLAN["places"])
INFO = {}  # id of a code object → (it, what is known of it); its own hash is slow


def known(code):
    try:
        return INFO[id(code)][1]
    except KeyError:
        path = CODE.path(code.co_filename)
        info = Function(code, path) if path is not None else None
        INFO[id(code)] = code, info
        return info


class Recorder:
    def __init__(self):
        self.writer = Writer(CODE)
        self.sent = set()
        self.found = 0
        self.begin("")

    def begin(self, test):
        self.test = test
        self.stack = []
        self.writer.origins = {}
        self.history = {}  # id → (object, statements)
        self.paused = {}  # id of a suspended frame → (frame, entry)
        self.records = []
        _modules.clear()

    def hook(self, frame, event, arg):
        if event == "call":
            info = known(frame.f_code)
            if info is not None:
                self.called(frame, info)
        elif event == "return":
            if self.stack and self.stack[-1][0] is frame:
                self.returned(self.stack.pop(), arg)

    def called(self, frame, info):
        if info.pausable:
            old = self.paused.get(id(frame))
            if old is not None and old[0] is frame:
                self.stack.append(old[1])
                if info.target:
                    self.arrived()
                return
        back = frame.f_back
        outer = back is None or known(back.f_code) is None
        entry = [frame, info, None, False, outer]
        self.stack.append(entry)
        if info.pausable and len(self.paused) < 10000:
            self.paused[id(frame)] = frame, entry
        if info.target:
            self.arrived()
        if info.seen < (_HOT if info.hot else _EACH) or (info.init or info.new) and info.seen < 5000:
            info.seen += 1
            try:
                entry[2] = self.write(frame, info, outer)
            except BaseException:
                pass  # it cannot be written down

    def arrived(self):
        for e in self.stack:
            e[3] = True
            e[1].hot = True

    def write(self, frame, info, outer):
        if not info.looked:
            info.look()
        if info.entry is None:
            return None
        kind, module, qualname, function = info.entry
        code, here = info.code, frame.f_locals
        positional = list(code.co_varnames[:code.co_argcount])
        receiver, subject = "", None
        if kind in ("method", "property", "class") or info.new:
            if not positional:
                return None
            first = here[positional.pop(0)]
            if kind == "class" or info.new:
                call = self.writer.source(first)
                if not isinstance(first, type):
                    return None
                if not info.new:
                    call += "." + code.co_name
            elif info.init:
                known = self.writer.origins.get(id(first))
                if known is not None and known[0] is first:
                    return None  # of a class below it
                call, subject = self.writer.source(type(first)), first
            else:
                receiver, subject = self.writer.source(first), first
                call = "_r_." + code.co_name
        else:
            call = self.writer.name(module, qualname)
        args, keywords = self.arguments(code, here, positional, function, kind in ("class",) or bool(receiver) or info.init or info.new)
        text = self.phrase(info, kind, call, args, keywords)
        if text is None:
            return None
        said = []
        if receiver:
            h = self.history.get(id(subject))
            said = list(h[1]) if h is not None and h[0] is subject else []
        return {"call": text, "receiver": receiver, "history": said, "public": info.public, "name": qualname, "module": module,
                "outer": outer, "target": info.target, "subject": subject}

    def arguments(self, code, here, positional, function, bound):
        """What was passed, without what is the default anyway."""
        defaults = function.__defaults__ or ()
        names = code.co_varnames[:code.co_argcount]
        default = dict(zip(names[len(names) - len(defaults):], defaults))
        only = code.co_posonlyargcount
        rest, star = code.co_argcount + code.co_kwonlyargcount, None
        if code.co_flags & 4:
            star = code.co_varnames[rest]
            rest += 1
        more = code.co_varnames[rest] if code.co_flags & 8 else None
        args, keywords, skipped = [], [], False
        extra = here[star] if star else ()
        source = self.writer.source
        for n in positional:
            v = here[n]
            if n in default and v is default[n] and not extra and names.index(n) >= only:
                skipped = True
                continue
            if skipped or n in default and not extra and names.index(n) >= only and len(args) > 1:
                keywords.append((n, source(v)))
                skipped = True
            else:
                args.append(source(v))
        args += [source(v) for v in extra]
        kwonly = function.__kwdefaults__ or {}
        for n in code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]:
            if n not in kwonly or here[n] is not kwonly[n]:
                keywords.append((n, source(here[n])))
        if more:
            keywords += [(n, source(v)) for n, v in here[more].items() if n.isidentifier()]
        return args, keywords

    def phrase(self, info, kind, call, args, keywords):
        name = info.code.co_name
        if kind == "property":
            return "_r_." + name
        if call.startswith("_r_.__") and name.endswith("__"):
            if name == "__call__":
                call = "_r_"
            elif name in UNARY and not args:
                return UNARY[name]
            elif name in BINARY and len(args) == 1 and not keywords:
                return BINARY[name] % args[0]
            elif name == "__setitem__" and len(args) == 2:
                return "_r_[%s] = %s" % tuple(args)
            else:
                return None
        return "%s(%s)" % (call, ", ".join(args + ["%s=%s" % k for k in keywords]))

    def returned(self, entry, value):
        frame, info, record, reached, outer = entry
        if record is None:
            return
        subject = record.pop("subject", None)
        text = record["call"]
        try:
            if info.init and subject is not None:
                self.writer.origins[id(subject)] = subject, text
            elif info.new and value is not None:
                self.writer.origins.setdefault(id(value), (value, text))
            elif outer and value is not None:
                self.learn(record, subject, value, text)
        except BaseException:
            pass
        if reached or info.hot and info.target:
            entry[2] = None
            self.keep(record)
        elif info.pausable:
            record["subject"] = subject
        if subject is not None and outer and not info.init and not info.new:
            h = self.history.setdefault(id(subject), (subject, []))
            if h[0] is subject and len(h[1]) < 8:
                h[1].append(text)

    def learn(self, record, subject, value, text):
        """What a call gave back may be the receiver of another one."""
        if "_r_" in text:
            if record["history"] or text.startswith("del "):
                return
            text = text.replace("_r_", record["receiver"], 1)
        if len(text) > 200:
            return
        for i, v in [(None, value)] + list(enumerate(value[:10] if type(value) in (list, tuple) else ())):
            path = CODE.path(getattr(sys.modules.get(type(v).__module__), "__file__", None) or "")
            if path is not None and not isinstance(v, (type, types.FunctionType)) and id(v) not in self.writer.origins:
                self.writer.origins[id(v)] = v, text if i is None else "%s[%d]" % (text, i)

    def keep(self, record):
        key = record["receiver"], record["call"], tuple(record["history"])
        if key in self.sent or self.found >= _CALLS:
            return
        self.sent.add(key)
        self.found += 1
        record["test"] = self.test
        self.records.append(record)

    def end(self):
        for frame, entry in list(self.paused.values()):
            if entry[2] is not None and entry[3]:
                entry[2].pop("subject", None)
                self.keep(entry[2])
        self.stack, self.paused = [], {}
        for r in self.records:
            names = set()
            try:
                for text in [r["call"], r["receiver"] or "None"] + r["history"]:
                    names |= used(text)
            except (SyntaxError, ValueError, RecursionError):
                continue
            r["imports"] = {n: line for n, line in self.writer.names.items() if n in names}
            r["defs"] = {n: text for n, text in self.writer.defs.items() if n in names}
            send("said", reason=json.dumps(r))
        send("said", reason=json.dumps({"ended": self.test}))


RECORDER = Recorder()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    order = {t: i for i, t in enumerate(PLAN["tests"])}
    items[:] = sorted((i for i in items if i.nodeid in order), key=lambda i: order[i.nodeid])


def _paths():
    """Folders of the tree from which modules are loaded, relative to it."""
    out = []
    for p in sys.path:
        full = os.path.realpath(p or ".") + os.sep
        if full.startswith(ROOT):
            out.append(full[len(ROOT):].rstrip(os.sep) or ".")
    return out


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    RECORDER.begin(item.nodeid)
    hook = RECORDER.hook
    sys.setprofile(hook)
    yield
    sys.setprofile(None)
    RECORDER.end()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    sys.setprofile(None)
    send("said", reason=json.dumps({"path": _paths()}))
    done()
