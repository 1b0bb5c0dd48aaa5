"""Values as the source that makes them again. PYTEST_DONT_REWRITE"""

import ast
import builtins
import datetime
import dis
import enum
import io
import math
import os
import re
import sys
import types

ROOT = os.path.realpath(os.getcwd()) + os.sep
_STDLIB = os.path.dirname(os.path.realpath(os.__file__)) + os.sep
_DEEP = 7
_LONG = 1500  # characters of one value's source
_MANY = 200  # elements of one container
_FLAGS = ("IGNORECASE", "MULTILINE", "DOTALL", "VERBOSE", "ASCII")


class Cannot(Exception):
    """The value has no source."""


class Code:
    """The files of the target's own code."""

    def __init__(self, paths):
        self.paths = set(paths)
        self.known = {}

    def path(self, filename):
        """The file's path in the tree, None when it is no code of the target."""
        try:
            return self.known[filename]
        except KeyError:
            pass
        full = filename if os.path.isabs(filename) else os.path.join(ROOT, filename)
        rel = full[len(ROOT):] if full.startswith(ROOT) else None
        if rel is None and os.path.exists(full):
            full = os.path.realpath(full)
            rel = full[len(ROOT):] if full.startswith(ROOT) else None
        found = self.known[filename] = rel if rel in self.paths else None
        return found

    def offers(self, name):
        """Whether a test may import this module: the target's, or the standard library's."""
        module = sys.modules.get(name)
        if module is None:
            return False
        if name in sys.builtin_module_names:
            return True
        file = getattr(module, "__file__", None) or ""
        if not file:
            return False
        if self.path(file) is not None:
            return True
        file = os.path.realpath(file)
        return file.startswith(_STDLIB) and "site-packages" not in file and "dist-packages" not in file


class Writer:
    """Makes sources. imports says how each name that they use is had; defs holds
    functions of the tests that are copied; origins are the expressions by which
    objects came about."""

    def __init__(self, code):
        self.code = code
        self.names = {}  # name → the statement that imports it, for all values
        self.defs = {}  # name → source
        self.origins = {}  # id → (object, source)
        self.parsed = {}

    def source(self, value):
        text = self._of(value, 0)
        if len(text) > _LONG:
            raise Cannot
        return text

    def _each(self, values, depth):
        if len(values) > _MANY:
            raise Cannot
        return [self._of(v, depth + 1) for v in values]

    def _of(self, v, depth):
        if depth > _DEEP:
            raise Cannot
        t = type(v)
        if v is None or v is Ellipsis or v is NotImplemented or t in (bool, int, str, bytes):
            if t in (str, bytes) and len(v) > _LONG:
                raise Cannot
            return repr(v)
        if t is float:
            return repr(v) if math.isfinite(v) else "float('%r')" % v
        if t is complex:
            if not (math.isfinite(v.real) and math.isfinite(v.imag)):
                raise Cannot
            return repr(v)
        if t is bytearray:
            return "bytearray(%r)" % bytes(v)
        if t is list:
            return "[" + ", ".join(self._each(v, depth)) + "]"
        if t is tuple:
            parts = self._each(v, depth)
            return "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"
        if t in (set, frozenset):
            parts = sorted(self._each(v, depth))
            text = "{" + ", ".join(parts) + "}" if parts else ""
            if t is frozenset:
                return "frozenset(%s)" % text
            return text or "set()"
        if t is dict:
            return "{" + self._pairs(v, depth) + "}"
        if t in (range, slice):
            return repr(v)
        found = self.origins.get(id(v))
        if found is not None and found[0] is v:
            return found[1]
        if isinstance(v, types.ModuleType):
            return self._module(v)
        if isinstance(v, (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)):
            return self._named(v, depth)
        return self._object(v, t, depth)

    def _pairs(self, v, depth):
        if len(v) > _MANY:
            raise Cannot
        return ", ".join("%s: %s" % (self._of(k, depth + 1), self._of(x, depth + 1)) for k, x in v.items())

    def _module(self, v):
        if sys.modules.get(v.__name__) is not v or not self.code.offers(v.__name__):
            raise Cannot
        return self.whole(v.__name__)

    def whole(self, name):
        self.names[name] = "import " + name
        return name

    def name(self, module, qualname):
        """The name of something that stands in a module, and its import."""
        if module == "builtins":
            return qualname
        if not self.code.offers(module):
            raise Cannot
        first = qualname.partition(".")[0]
        line = "from %s import %s" % (module, first)
        if hasattr(builtins, first) or self.names.get(first, line) != line or first in self.defs:
            return self.whole(module) + "." + qualname
        self.names[first] = line
        return qualname

    def _named(self, v, depth):
        if isinstance(v, types.MethodType):
            return "%s.%s" % (self._of(v.__self__, depth + 1), v.__func__.__name__)
        if isinstance(v, types.BuiltinFunctionType) and not isinstance(v.__self__, (types.ModuleType, type(None))):
            return "%s.%s" % (self._of(v.__self__, depth + 1), v.__name__)
        module, qualname = getattr(v, "__module__", None), getattr(v, "__qualname__", "")
        if isinstance(module, str) and "<" not in qualname:
            at = sys.modules.get(module)
            for part in qualname.split("."):
                at = getattr(at, part, None)
            if at is v and (module == "builtins" or self.code.offers(module)):
                return self.name(module, qualname)
        if isinstance(v, types.FunctionType):
            return self._copied(v)
        raise Cannot

    def _copied(self, f):
        """A small function of a test, by its text."""
        code = f.__code__
        if code.co_freevars or f.__closure__ or len(f.__kwdefaults__ or ()):
            raise Cannot
        for i in dis.get_instructions(code):
            if i.opname in ("LOAD_GLOBAL", "LOAD_NAME") and not hasattr(builtins, i.argval):
                raise Cannot
        for c in code.co_consts:
            if isinstance(c, types.CodeType):
                raise Cannot
        found = set()
        for node in self._functions(code.co_filename):
            if isinstance(node, ast.Lambda) != (code.co_name == "<lambda>"):
                continue
            if isinstance(node, ast.Lambda):
                if node.lineno == code.co_firstlineno and _alike(code, node):
                    found.add(ast.unparse(node))
            elif node.lineno == code.co_firstlineno and node.name == code.co_name and not node.decorator_list:
                found.add(ast.unparse(node))
        if len(found) != 1:
            raise Cannot
        text = found.pop()
        if code.co_name == "<lambda>":
            return text
        if text.count("\n") > 6 or code.co_name in self.names or hasattr(builtins, code.co_name) or self.defs.get(code.co_name, text) != text:
            raise Cannot
        self.defs[code.co_name] = text
        return code.co_name

    def _functions(self, filename):
        if filename not in self.parsed:
            nodes = []
            try:
                with open(filename, encoding="utf-8") as f:
                    nodes = [n for n in ast.walk(ast.parse(f.read())) if isinstance(n, (ast.Lambda, ast.FunctionDef))]
            except (OSError, SyntaxError, ValueError):
                pass
            self.parsed[filename] = nodes
        return self.parsed[filename]

    def _object(self, v, t, depth):
        of = lambda x: self._of(x, depth + 1)  # noqa: E731
        module, name = t.__module__, t.__qualname__
        if isinstance(v, enum.Enum):
            text = getattr(v, "_name_", None)
            if not isinstance(text, str) or not text.isidentifier():
                raise Cannot
            return "%s.%s" % (self._named(t, depth), text)
        if isinstance(v, tuple) and hasattr(t, "_fields"):
            return "%s(%s)" % (self._named(t, depth), ", ".join(self._each(v, depth)))
        if isinstance(v, (datetime.date, datetime.time, datetime.timedelta, datetime.timezone)) and module == "datetime":
            text = repr(v)
            if "<" in text or "zoneinfo" in text:
                raise Cannot
            self.whole("datetime")
            return text
        if (module, name) in (("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID")):
            self.name(module, name)
            return repr(v)
        if module in ("pathlib", "pathlib._local") and isinstance(v, os.PathLike):
            kind = "Path" if name.endswith("Path") and "Pure" not in name else "PurePath"
            return "%s(%r)" % (self.name("pathlib", kind), str(v))
        if t is re.Pattern:
            self.whole("re")
            flags = " | ".join("re." + f for f in _FLAGS if v.flags & getattr(re, f))
            return "re.compile(%r%s)" % (v.pattern, ", " + flags if flags else "")
        if module == "collections":
            if name == "OrderedDict":
                return "%s([%s])" % (self.name(module, name), ", ".join("(%s, %s)" % (of(k), of(x)) for k, x in v.items()))
            if name == "Counter":
                return "%s({%s})" % (self.name(module, name), self._pairs(v, depth))
            if name == "deque":
                return "%s([%s]%s)" % (self.name(module, name), ", ".join(self._each(v, depth)), "" if v.maxlen is None else ", %d" % v.maxlen)
            if name == "defaultdict":
                return "%s(%s, {%s})" % (self.name(module, name), of(v.default_factory), self._pairs(v, depth))
        if t in (io.StringIO, io.BytesIO) and not v.closed:
            self.whole("io")
            return "io.%s(%s)" % (name, of(v.getvalue()))
        if t is types.SimpleNamespace:
            self.whole("types")
            return "types.SimpleNamespace(%s)" % ", ".join("%s=%s" % (k, of(x)) for k, x in vars(v).items())
        if module == "functools" and name == "partial":
            rest = [of(x) for x in v.args] + ["%s=%s" % (k, of(x)) for k, x in v.keywords.items()]
            return "%s(%s)" % (self.name(module, name), ", ".join([of(v.func)] + rest))
        if module == "operator" and name in ("itemgetter", "attrgetter", "methodcaller"):
            r = v.__reduce__()
            return "%s(%s)" % (self.name(module, name), ", ".join(of(x) for x in r[1]))
        if module == "builtins" and name.endswith("iterator"):
            r = v.__reduce__()
            if r[0] is iter:
                state = r[2] if len(r) > 2 and isinstance(r[2], int) else 0
                left = r[1][0][state:] if state else r[1][0]
                return "iter(%s)" % of(left)
        if module == "builtins" and name in ("zip", "map", "filter", "enumerate"):
            r = v.__reduce__()
            return "%s(%s)" % (name, ", ".join(of(x) for x in r[1]))
        if isinstance(v, BaseException) and not vars(v) and t.__init__ is getattr(BaseException, "__init__", None) or module == "builtins" and isinstance(v, Exception):
            return "%s(%s)" % (self._named(t, depth), ", ".join(of(x) for x in v.args))
        return self._made(v, t, depth)

    def _made(self, v, t, depth):
        """An object of the target's own classes of which no origin was seen."""
        of = lambda x: self._of(x, depth + 1)  # noqa: E731
        fields = getattr(t, "__dataclass_fields__", None)
        if fields and getattr(t, "__dataclass_params__").init:
            parts = ["%s=%s" % (f.name, of(getattr(v, f.name))) for f in fields.values() if f.init and f._field_type.name == "_FIELD"]
            return "%s(%s)" % (self._named(t, depth), ", ".join(parts))
        if isinstance(t.__init__, types.FunctionType) or isinstance(t.__new__, types.FunctionType):
            raise Cannot
        for plain in (str, bytes, int, float, list, tuple, set, frozenset, dict):
            if isinstance(v, plain):
                inner = of(plain(v)) if plain not in (str, int) else repr(plain.__str__(v) if plain is str else int(v))
                return "%s(%s)" % (self._named(t, depth), inner)
        if not getattr(v, "__dict__", None) and self.code.path(getattr(sys.modules.get(t.__module__), "__file__", None) or "") is not None and t.__init__ is object.__init__:
            return "%s()" % self._named(t, depth)
        raise Cannot


def _alike(code, node):
    try:
        made = compile(ast.Expression(node), "x", "eval").co_consts
    except (SyntaxError, ValueError):
        return False
    inner = [c for c in made if isinstance(c, types.CodeType)]
    return bool(inner) and inner[0].co_code == code.co_code and inner[0].co_consts == code.co_consts and inner[0].co_names == code.co_names


def used(text):
    """The names that a source mentions, dotted ones whole and by their parts."""
    out = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name):
            out.add(node.id)
        elif isinstance(node, ast.Attribute):
            parts, at = [node.attr], node.value
            while isinstance(at, ast.Attribute):
                parts.append(at.attr)
                at = at.value
            if isinstance(at, ast.Name):
                parts.append(at.id)
                out.add(".".join(reversed(parts)))
    return out
