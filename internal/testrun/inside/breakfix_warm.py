"""What a process that serves warm copies of itself prepares. PYTEST_DONT_REWRITE

Nothing here runs code of the target that its own loading would not run.
"""

import base64
import gc
import importlib
import importlib.machinery
import io
import linecache
import os
import sys
import types
import unittest

import pytest

import breakfix_render

_ROOT = "/work/"
_NOT_OURS = ("/work/", "/breakfix/")
_GENERATORS = 0x20 | 0x80 | 0x200  # generator, coroutine, asynchronous generator
_FUNCTION = 0x2  # CO_NEWLOCALS: a function's code, not a class body's


class Refused(Exception):
    """The change cannot be put into the live functions."""


def _origin(module):
    try:
        return getattr(getattr(module, "__spec__", None), "origin", None) or getattr(module, "__file__", None) or ""
    except Exception:  # modules may be any object
        return ""


def tainted():
    """Modules of the tree that are loaded."""
    return sorted(n for n, m in list(sys.modules.items()) if str(_origin(m)).startswith(_ROOT))


def preload(names):
    """Imports modules that the suite uses and that are not of the tree."""
    for name in names:
        if name not in sys.modules:
            try:
                importlib.import_module(name)
            except BaseException:
                pass  # the run itself will tell


def _changed(req):
    """Makes the child see changed files as they are on its disk."""
    importlib.invalidate_caches()
    for path in req["changes"]:
        linecache.cache.pop(_ROOT + path, None)


def plain_assertions(config):
    """Leaves assertions of files that are loaded from here on as they are: to
    rewrite them takes longer than to run them, and only makes their text."""
    hook = getattr(config.pluginmanager, "rewrite_hook", None)
    if hook in sys.meta_path:
        sys.meta_path.remove(hook)


class _Nowhere(io.TextIOBase):
    def write(self, text):
        return len(text)


def mute(config):
    """Leaves out what pytest prints of each test, which nobody reads of a child."""
    writer = config.get_terminal_writer()
    if hasattr(writer, "_file"):
        writer._file = _Nowhere()


def _known_fixtures():
    """Every session looks through all names of all plugins and test classes for
    fixtures. Those of pytest's own modules do not change from child to child, and
    what a test case inherits from unittest is none."""
    try:
        from _pytest import fixtures

        kind = fixtures.FixtureFunctionDefinition
    except (ImportError, AttributeError):
        return  # another pytest: slower, not wrong
    known = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("_pytest.") and isinstance(module, types.ModuleType):
            known[id(module)] = [n for n in dir(module) if isinstance(getattr(module, n, None), kind)]

    library = (object, unittest.TestCase)
    none = {n for k in library for n, v in vars(k).items() if not isinstance(v, kind)}

    def names(holder):
        found = known.get(id(holder))
        if found is not None:
            return found
        found = dir(holder)
        of = holder if isinstance(holder, type) else type(holder)
        if issubclass(of, unittest.TestCase):
            own = {n for k in of.__mro__ if k not in library for n in vars(k)}
            found = [n for n in found if n in own or n not in none]
        return found

    fixtures.dir = names


def offer_conftests(session):
    """Has files that are collected from here on see the fixtures of conftest files
    again. Since pytest 9.1 these belong to the folder's node of one collection."""
    try:
        config = session.config
        pending = session._fixturemanager._pending_conftests
        for module in config.pluginmanager._conftest_plugins:
            folder = type(config.rootpath)(module.__file__).parent
            if folder != config.rootpath:  # those belong to the session
                pending[folder] = module
    except AttributeError:
        pass  # another pytest, where they belong to a path


def plain(obj):
    """Whether tests of a module's function or class can be left out without
    leaving out an error of making them: parameters are counted then."""
    try:
        inner = [f for kind in obj.__mro__ for f in vars(kind).values()] if isinstance(obj, type) else []
        return not any(mark.name == "parametrize" for f in (obj, *inner) for mark in getattr(f, "pytestmark", ()))
    except Exception:
        return False


def apart(paths, wanted):
    """Splits files into those to collect and those to load after them: modules in
    a folder of one of the first."""
    folders = {os.path.dirname(path) for path in wanted}
    more = [path for path in paths if path not in wanted and path.endswith(".py") and os.path.dirname(path) in folders]
    return [path for path in paths if path not in more], more


def load(items, paths):
    """Loads test files beside those that were collected, as collecting does. Where
    nothing was, the run has found what is wrong."""
    from _pytest.runner import collect_one_node

    beside = {os.path.dirname(str(item.path)): item.getparent(pytest.Module) for item in items}
    for path in paths:
        module = beside.get(os.path.dirname(_ROOT + path))
        if module is None:
            continue
        at = module.path.parent / os.path.basename(path)
        made = module.session.gethookproxy(at).pytest_pycollect_makemodule(module_path=at, parent=module.parent)
        module.ihook.pytest_collectreport(report=collect_one_node(made))


class Compiled:
    """Code of files that children will load, made before them: source_to_code and
    pytest's rewriting look here first. What differs from the text in the child's
    own tree by a byte is not used."""

    MOST = 200  # files; then it begins anew

    def __init__(self, config):
        self.config, self.plain, self.rewritten, self.seen = config, {}, {}, set()
        self.rewrite = None
        try:
            from _pytest.assertion import rewrite

            self.rewrite, rewrite._rewrite_test = rewrite._rewrite_test, self._rewrite
            self.asserts = rewrite.rewrite_asserts
        except Exception:
            pass  # another pytest: slower, not wrong
        loader = importlib.machinery.SourceFileLoader
        compiled = loader.source_to_code
        memo = self.plain

        def source_to_code(self, data, path, **more):
            known = memo.get(path)
            if known is not None and known[0] == data:
                return known[1]
            return compiled(self, data, path, **more)

        loader.source_to_code = source_to_code

    def _rewrite(self, fn, config):
        known = self.rewritten.get(str(fn))
        if known is not None:
            with open(fn, "rb") as f:
                if f.read() == known[0]:
                    return os.stat(fn), known[1]
        return self.rewrite(fn, config)

    def code(self, path, data):
        """A file of the target's code."""
        try:
            self.plain[_ROOT + path] = data, compile(data, _ROOT + path, "exec", dont_inherit=True)
        except Exception:
            pass  # the run itself will tell

    def test(self, path, data):
        """A file whose assertions pytest rewrites."""
        at = _ROOT + path
        if self.rewrite is None or at in self.rewritten and self.rewritten[at][0] == data:
            return
        try:
            import ast

            tree = ast.parse(data, filename=at)
            self.asserts(tree, data, at, self.config)
            self.rewritten[at] = data, compile(tree, at, "exec", dont_inherit=True)
        except Exception:
            pass

    def ahead(self, req):
        """Files of ours that a child is going to load."""
        body = req["body"]
        files = body.get("own") or ()
        if body.get("direct") and not body.get("brief"):
            files = {test.split("::")[0] for test in body["tests"]}
        for path in files:
            self.again(path, base64.b64decode(req["changes"][path]["d"]), body.get("brief"))

    def asserting(self, path):
        """Code of a test file whose assertions tell what pytest has them tell."""
        with open(_ROOT + path, "rb") as f:
            data = f.read()
        self.test(path, data)
        known = self.rewritten.get(_ROOT + path)
        return known[1] if known is not None and known[0] == data else _compiled(path)

    def direct(self, body, config):
        """How files are compiled that are called without pytest, and pytest's
        configuration where their assertions tell what they do with it."""
        return (_compiled, None) if body.get("brief") else (self.asserting, config)

    def again(self, path, data, brief):
        """A file of ours: worth it from the second time on."""
        if len(self.seen) > self.MOST:
            self.seen.clear()
            self.rewritten.clear()
            self.plain.clear()
        if (path, data) not in self.seen:
            self.seen.add((path, data))
        elif brief:
            self.code(path, data)
        else:
            self.test(path, data)


def _compiled(path):
    """Code of a file whose assertions stay as they are written."""
    with open(_ROOT + path, "rb") as f:
        return compile(f.read(), _ROOT + path, "exec", dont_inherit=True)


class Bare:
    """Compiles ahead: a child that imports the tree then only runs it."""

    def __init__(self, config, files):
        self.config, self.req = config, None
        self.compiled = Compiled(config)
        _known_fixtures()
        for path in files:
            try:
                with open(_ROOT + path, "rb") as f:
                    self.compiled.code(path, f.read())
            except OSError:
                pass  # the run itself will tell
        breakfix_render.rehearse()
        breakfix_render.know_modules()

    def before(self, req):
        self.req = req
        if req["body"].get("direct"):
            self.compiled.ahead(req)
            return
        for path in req["body"].get("rewrite") or ():
            if _ROOT + path not in self.compiled.rewritten:
                try:
                    with open(_ROOT + path, "rb") as f:
                        self.compiled.test(path, f.read())
                except OSError:
                    pass

    def enter(self):
        _changed(self.req)


class Collected:
    """Puts changed code into live functions."""

    def __init__(self, config):
        self.config, self.req, self.plan = config, None, []
        self.by_place, self.by_path, self.alive, self.old, self.imported = {}, {}, set(), {}, {}
        self.found, self.keys = False, {}
        self.compiled, self.folders = Compiled(config), {}
        self.statements = breakfix_render.Statements()
        breakfix_render.rehearse()
        breakfix_render.know_modules()

    def modules(self):
        """Names of loaded modules that are not of the tree, in the order of loading."""
        must = getattr(getattr(self.config.pluginmanager, "rewrite_hook", None), "_must_rewrite", ())
        names = []
        for name, module in list(sys.modules.items()):
            origin = _origin(module)
            if not origin or str(origin).startswith(_NOT_OURS) or name in ("__main__", "__mp_main__"):
                continue
            if any(name == m or name.startswith(m + ".") for m in must):
                continue
            names.append(name)
        return names

    def _find(self):
        self.found = True
        for o in gc.get_objects():
            kind = type(o)
            if kind is types.FunctionType:
                code = o.__code__
                if code.co_filename.startswith(_ROOT):
                    self.by_place.setdefault(_place(code), []).append(o)
                    self.by_path.setdefault(code.co_filename[len(_ROOT):], []).append(o)
            elif kind is types.GeneratorType:
                self.alive.add(_place(o.gi_code))
            elif kind is types.CoroutineType:
                self.alive.add(_place(o.cr_code))
            elif kind is types.AsyncGeneratorType:
                self.alive.add(_place(o.ag_code))
        self.loaded = {str(_origin(m)) for m in list(sys.modules.values())}

    def before(self, req):
        self.req, self.plan = req, []
        self.compiled.ahead(req)
        swaps = req["body"].get("swap")
        if not swaps:
            return None
        if not self.found:
            self._find()
        try:
            for path, statements in swaps.items():
                self._file(path, statements)
        except Refused as e:
            return str(e)
        if req["body"].get("brief") or req["body"].get("direct"):
            return None  # nobody looks at source
        for path, statements in swaps.items():
            self.statements.change(path, statements)
        for path in {test.split("::")[0] for test in req["body"]["tests"]}:
            self.statements.look(path)
        return None

    def _file(self, path, statements):
        functions = self.by_path.get(path)
        if not functions:
            if _ROOT + path in self.loaded:
                raise Refused("no function of %s is alive" % path)
            return  # it is not loaded: whoever loads it reads the changed file
        flags = functions[0].__code__.co_flags & _FUTURE
        if path not in self.imported:
            self.imported[path] = _imported(_ROOT + path)
        head = self.imported[path]
        pairs, keys = [], dict(self.keys)
        for s in statements:
            key = path, s["old_first"]
            if key not in self.old:
                self.old[key] = _compile(head, s["old"], s["old_first"], _ROOT + path, flags)
                _key(self.old[key], self.keys)
                keys.update(self.keys)
            _walk(self.old[key], _compile(head, s["new"], s["new_first"], _ROOT + path, flags), pairs, False, keys)
        taken = set()
        for old, new, inner in pairs:
            self._replace(old, new, taken, inner)
        moved = any(s["new_first"] - s["old_first"] or s["new"].count("\n") != s["old"].count("\n") for s in statements)
        if moved:
            for f in functions:
                if id(f) not in taken:
                    by = _moved(statements, f.__code__.co_firstlineno)
                    if by:
                        self.plan.append((f, _shift(f.__code__, by)))

    def _replace(self, old, new, taken, inner):
        before = len(self.plan)
        place = _place(old)
        if place in self.alive:
            raise Refused("%s is suspended in the middle" % old.co_name)
        key = None
        for f in self.by_place.get(place, ()):
            if id(f) in taken:
                continue
            if key is None:
                key = _key(old, self.keys)
            if _key(f.__code__, self.keys) != key:
                continue
            if f.__code__.co_freevars != new.co_freevars:
                raise Refused("%s closes over other names" % old.co_name)
            if (f.__code__.co_flags ^ new.co_flags) & _GENERATORS:
                raise Refused("%s is another kind of function" % old.co_name)
            taken.add(id(f))
            self.plan.append((f, new))
        if len(self.plan) == before and not inner:
            # Something made another function of it, or keeps it elsewhere.
            raise Refused("%s is not alive as it is written" % old.co_name)

    def enter(self):
        for f, code in self.plan:
            f.__code__ = code
        _changed(self.req)
        _forget_output(self.config)

    def know(self, items):
        """Keeps the collectors of the folders of collected tests."""
        kind = getattr(pytest, "Directory", None)
        for item in items if kind is not None else ():  # as of pytest 8
            for node in item.listchain():
                if isinstance(node, kind):
                    self.folders.setdefault(str(node.path), node)

    def collect(self, session, paths):
        """Tests of files of ours. Where pytest has been in a file's folder it is
        asked for that file at once: to find its way there from the root, and to
        look at every other file, takes it longer than all the rest."""
        parents = [self.folders.get(os.path.dirname(_ROOT + path)) for path in paths]
        if None in parents:
            offer_conftests(session)
            session.perform_collect(list(paths))
            return list(session.items)
        items = []
        for path, parent in zip(paths, parents):
            at = parent.path / os.path.basename(path)
            module = session.gethookproxy(at).pytest_pycollect_makemodule(module_path=at, parent=parent)
            items.extend(session.genitems(module))
        session.config.pluginmanager.check_pending()
        session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=items)
        return items


def _future():
    import __future__

    flags = 0
    for name in __future__.all_feature_names:
        flags |= getattr(__future__, name).compiler_flag
    return flags


_FUTURE = _future()


def _place(code):
    return code.co_filename, code.co_firstlineno, code.co_name


def _imported(path):
    """A line that binds the names that a module imports at its top level: since
    Python 3.11 calls of their attributes are compiled in another way."""
    import ast

    names = set()

    def look(nodes):
        for n in nodes:
            if isinstance(n, (ast.Import, ast.ImportFrom)):
                names.update((a.asname or a.name.partition(".")[0]) for a in n.names if a.name != "*")
            elif not isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                look(c for c in ast.iter_child_nodes(n) if isinstance(c, (ast.stmt, ast.excepthandler)))

    try:
        with open(path, "rb") as f:
            look(ast.parse(f.read()).body)
    except Exception as e:
        raise Refused("its file cannot be read: %s" % e)
    return "import " + ", ".join("x as " + n for n in sorted(names)) if names else ""


def _compile(head, text, first, name, flags):
    if head and first == 1:
        raise Refused("it stands before the imports of its file")
    try:
        return compile(head + "\n" * (first - 1) + text, name, "exec", flags, True)
    except (SyntaxError, ValueError) as e:
        raise Refused("it does not compile alone: %s" % e)


def _children(code):
    return [c for c in code.co_consts if isinstance(c, types.CodeType)]


def _key(code, known):
    """Everything by which two code objects differ, but for their file. known are
    keys of code that is kept, by identity."""
    found = known.get(id(code))
    if found is None:
        key = (code.co_name, code.co_firstlineno, code.co_flags, code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars,
               code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, getattr(code, "co_linetable", b""),
               tuple(_key(c, known) if isinstance(c, types.CodeType) else _const(c) for c in code.co_consts))
        found = known[id(code)] = key, code  # which is alive as long as its key is
    return found[0]


def _const(c):
    if isinstance(c, (tuple, frozenset)):
        parts = [_const(x) for x in c]
        return type(c).__name__, tuple(parts if isinstance(c, tuple) else sorted(parts, key=repr))
    return type(c).__name__, repr(c)


def _walk(old, new, pairs, inner, keys):
    """Collects pairs of functions' code that differ, from the outside in; inner
    ones stand in other functions. What is not a function's must be the same."""
    if _key(old, keys) == _key(new, keys):
        return
    a, b = _children(old), _children(new)
    alike = [c.co_name for c in a] == [c.co_name for c in b]
    if old.co_flags & _FUNCTION:
        if any(_key(o, keys) == _key(old, keys) for o, _, _ in pairs):
            raise Refused("two functions at one place are alike")
        if _doc(old) != _doc(new):
            raise Refused("the text that documents %s is another" % old.co_name)
        pairs.append((old, new, inner))
        inner = True
    elif not alike or _bare(old) != _bare(new):
        raise Refused("more than functions differs in %s" % old.co_name)
    if alike:
        # Where they are not, its own functions are made anew when it runs; ones
        # that are alive were made by code that ran, which is not swapped.
        for x, y in zip(a, b):
            _walk(x, y, pairs, inner, keys)


def _doc(code):
    first = code.co_consts[0] if code.co_consts else None
    return first if isinstance(first, str) else None


def _bare(code):
    """What code that is no function's does, but for its lines and the functions
    that it makes."""
    return (code.co_name, code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars,
            tuple(None if isinstance(c, types.CodeType) else _const(c) for c in code.co_consts))


def _moved(statements, line):
    by = 0
    for s in statements:
        if s["old_first"] + s["old"].count("\n") < line:
            by = s["new_first"] - s["old_first"] + s["new"].count("\n") - s["old"].count("\n")
    return by


def _shift(code, by):
    return code.replace(co_firstlineno=code.co_firstlineno + by,
                        co_consts=tuple(_shift(c, by) if isinstance(c, types.CodeType) else c for c in code.co_consts))


def _forget_output(config):
    """What a child that was killed had printed is in a file that all share."""
    capture = getattr(config.pluginmanager.getplugin("capturemanager"), "_global_capturing", None)
    for name in ("out", "err"):
        tmp = getattr(getattr(capture, name, None), "tmpfile", None)
        try:
            tmp.seek(0)
            tmp.truncate()
        except Exception:
            pass
