"""What a call did, as text that can be compared and source that can be asserted. PYTEST_DONT_REWRITE"""

import ast
import asyncio
import collections.abc
import inspect
import itertools
import re
import sys
import types

from breakfix_express import Cannot, Writer

_LISTED = 100  # elements of an iterator that are looked at
_SHOWN = 6  # and asserted of one that goes on
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{5,}")
_ATTRIBUTES = 12
_PARTS = 30


class Unfit(BaseException):
    """What a call did cannot be compared."""


class Teller:
    def __init__(self, code):
        self.code = code

    def value(self, v):
        """{"how", "text", "source"…}: how the value is taken out of what the call gave."""
        if inspect.iscoroutine(v):
            return self.value_of(asyncio.run(v), "run")
        if isinstance(v, collections.abc.Iterator) and not hasattr(v, "read"):
            items = list(itertools.islice(v, _LISTED + 1))
            if len(items) > _LISTED:
                return self.value_of(items[:_SHOWN], "first")
            return self.value_of(items, "list")
        return self.value_of(v, "")

    def value_of(self, v, how):
        out = {"how": how, "type": type(v).__name__}
        writer = Writer(self.code)
        try:
            out["source"] = writer.source(v)
            out["imports"], out["defs"] = writer.names, writer.defs
            if not self.same(v, out["source"], writer):
                raise Cannot
            out["text"] = out["source"]
            return out
        except Cannot:
            out.pop("source", None)
        out["text"] = self.describe(v, 0)
        out["parts"] = self.parts(v)
        return out

    def same(self, v, source, writer):
        """Whether a test can say that the value equals its source."""
        try:
            return bool(v == evaluate(source, writer.names, writer.defs))
        except Exception:
            return False

    def describe(self, v, depth):
        """A text of an object: the same for objects that no test could tell apart."""
        if isinstance(v, (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type, types.ModuleType)):
            return "%s %s" % (type(v).__name__, getattr(v, "__qualname__", getattr(v, "__name__", "")))
        try:
            return Writer(self.code).source(v)
        except Cannot:
            pass
        text = type(v).__module__ + "." + type(v).__qualname__
        if depth > 3:
            return text
        if isinstance(v, (list, tuple, set, frozenset)):
            parts = [self.describe(x, depth + 1) for x in itertools.islice(v, 50)]
            return "%s(%d: %s)" % (text, len(v), ", ".join(sorted(parts) if isinstance(v, (set, frozenset)) else parts))
        if isinstance(v, dict):
            return "%s(%d: %s)" % (text, len(v), ", ".join("%s: %s" % (self.describe(k, depth + 1), self.describe(x, depth + 1))
                                                           for k, x in itertools.islice(v.items(), 50)))
        told = ["%s=%s" % (k, t) for k, t in self.attributes(v, lambda x: self.describe(x, depth + 1))]
        shown = self.repr(v)
        return "%s(%s)%s" % (text, ", ".join(told), " " + shown if shown else "")

    def repr(self, v):
        if type(v).__repr__ is object.__repr__ or self.code.path(_file(type(v))) is None and not isinstance(v, (list, tuple, dict, set, BaseException)):
            return ""
        try:
            text = repr(v)
        except Exception:
            return ""
        return "" if not isinstance(text, str) or _ADDRESS.search(text) or " object at " in text or len(text) > 400 else text

    def attributes(self, v, of):
        here = getattr(v, "__dict__", None)
        names = list(here) if isinstance(here, dict) else []
        for c in type(v).__mro__:
            slots = c.__dict__.get("__slots__", ())
            names += [slots] if isinstance(slots, str) else list(slots)
        for n in sorted(set(n for n in names if isinstance(n, str) and n.isidentifier() and not n.startswith("_")))[:_ATTRIBUTES]:
            try:
                yield n, of(getattr(v, n))
            except (Cannot, AttributeError):
                pass

    def parts(self, v, depth=0):
        """[(path, source, imports)]: what a test can say of an object, of its elements
        and of what its attributes hold; the nearest first."""
        out = self.own_parts(v)
        if depth < 3:
            inner = []
            if isinstance(v, (list, tuple)):
                inner = [("%%s[%d]" % i, x) for i, x in enumerate(v[:3])]
            elif self.code.path(_file(type(v))) is not None:
                inner = [("%s." + n, x) for n, x in self.attributes(v, lambda x: x)]
            for path, x in inner:
                if len(out) > _PARTS:
                    break
                if isinstance(x, (list, tuple)) or self.code.path(_file(type(x))) is not None and not isinstance(x, (type, types.FunctionType)):
                    out += [[p.replace("%s", path), text, names] for p, text, names in self.parts(x, depth + 1)]
        return out[:_PARTS]

    def own_parts(self, v):
        out = []
        for n, (text, names) in self.attributes(v, self.plain):
            out.append(["%s." + n, text, names])
        if isinstance(v, (collections.abc.Mapping, collections.abc.Sequence, collections.abc.Set)) and not isinstance(v, (str, bytes)):
            for shape, take in (("dict(%s)", dict),) if isinstance(v, collections.abc.Mapping) else (("list(%s)", list), ("sorted(%s)", sorted)):
                try:
                    text, names = self.plain(take(v))
                    out.append([shape, text, names])
                    break
                except Exception:
                    pass
        shown = self.repr(v)
        if shown:
            out.append(["repr(%s)", repr(shown), {}])
        return out

    def plain(self, v):
        writer = Writer(self.code)
        text = writer.source(v)
        if writer.defs or not self.same(v, text, writer):
            raise Cannot
        return text, writer.names

    def error(self, e):
        """Of an exception: its type as a test names it, and its message."""
        out = {"error": type(e).__module__ + "." + type(e).__qualname__}
        for t in type(e).__mro__:
            writer = Writer(self.code)
            try:
                out["raises"] = writer.source(t)
                out["imports"] = writer.names
                break
            except Cannot:
                continue
        try:
            text = str(e)
        except Exception:
            text = ""
        if not _ADDRESS.search(text) and " object at " not in text and len(text) < 300:
            out["message"] = text
        return out


def _file(t):
    return getattr(sys.modules.get(t.__module__), "__file__", None) or ""


def namespace(imports, defs):
    ns = {"__name__": "test_breakfix"}
    for line in imports.values():
        exec(line, ns)
    for text in defs.values():
        exec(text, ns)
    return ns


def evaluate(source, imports, defs):
    return eval(source, namespace(imports, defs))


class Call:
    """A candidate taken apart, so that its arguments can be looked at afterwards."""

    def __init__(self, candidate):
        self.setup, self.text = candidate["setup"], candidate["call"]
        tree = ast.parse(self.text)
        statement = tree.body[0]
        self.expression = statement.value if isinstance(statement, ast.Expr) else None
        self.receiver = self.function = None
        self.args, self.keywords = [], []
        e = self.expression
        if isinstance(e, ast.Call) and not any(isinstance(a, ast.Starred) for a in e.args) and all(k.arg for k in e.keywords):
            self.function = e.func
            if isinstance(e.func, ast.Attribute):
                self.receiver = e.func.value
            self.args, self.keywords = e.args, e.keywords

    def run(self, ns):
        """Returns (a function that makes the call, the receiver, the arguments)."""
        for line in self.setup:
            exec(line, ns)
        of = lambda node: eval(compile(ast.Expression(node), "call", "eval"), ns)  # noqa: E731
        subject = ns[self.subject()] if self.subject() else None
        if self.expression is None:
            return (lambda: exec(self.text, ns)), subject, []
        if self.function is None:
            return (lambda: of(self.expression)), subject, []
        if self.receiver is not None:
            subject = of(self.receiver)
            function = getattr(subject, self.function.attr)
        else:
            function = of(self.function)
        args = [of(a) for a in self.args]
        keywords = {k.arg: of(k.value) for k in self.keywords}
        return (lambda: function(*args, **keywords)), subject, args + list(keywords.values())

    def subject(self):
        return self.setup[0].split(" = ", 1)[0] if self.setup else ""
