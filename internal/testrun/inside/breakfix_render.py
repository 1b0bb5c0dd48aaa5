"""Makes ready what pytest needs to render a failure. PYTEST_DONT_REWRITE

A failed test costs fifty times a passed one, nearly all of it on work that is
the same for every child: where each module's source lies, and where in a file
each statement begins. It is done here once, in the process that forks. Nothing
of the target is run, and what cannot be made ready is done as ever.
"""

import inspect
import linecache
import os
import sys
import types

_ROOT = "/work/"
_MOST = 400  # files whose statements are kept


def rehearse():
    """Loads and compiles what rendering any failure does."""
    try:
        from _pytest._code import ExceptionInfo

        try:
            raise AssertionError("a rehearsal")
        except AssertionError:
            str(ExceptionInfo.from_current().getrepr(style="long"))
    except Exception:
        pass  # another pytest: slower, not wrong


def know_modules():
    """Fills the map from files to modules that inspect makes at its first use.
    Modules of other kinds may do anything when they are looked at."""
    try:
        by_name, by_file = inspect._filesbymodname, inspect.modulesbyfile
        for name, module in list(sys.modules.items()):
            path = vars(module).get("__file__") if type(module) is types.ModuleType else None
            if not isinstance(path, str) or not isinstance(vars(module).get("__name__"), str):
                continue
            at = inspect.getabsfile(module)
            by_name[name] = path
            by_file[at] = by_file[os.path.realpath(at)] = vars(module)["__name__"]
    except Exception:
        pass


class _Parts:
    """Stands for the syntax of a file of which only a part is ever looked at."""

    def __init__(self, content, spans):
        self.content, self.spans, self.seen = content, spans, {}


class Statements:
    """Has pytest parse the statement of the top level that holds a line instead
    of the whole file: it wants to know where the statement around it begins and
    where the next one does."""

    def __init__(self):
        self.base = {}  # path -> lines and spans of the snapshot's file, or None
        self.known = {}  # text as pytest has it -> first and last line of each statement of the top level, 0-based
        self.changed = []
        try:
            import ast

            from _pytest._code import source

            self.parse, self.find = ast.parse, source.get_statement_startend2
            source.ast.parse  # it is called so
            shim = types.ModuleType("ast")
            vars(shim).update({k: v for k, v in vars(ast).items() if k != "__name__"})
            shim.parse = self._parse
            source.ast, source.get_statement_startend2 = shim, self._find
        except Exception:
            self.parse = None  # another pytest: slower, not wrong

    def _parse(self, content, *args, **more):
        spans = self.known.get(content) if type(content) is str else None
        if spans is None:
            return self.parse(content, *args, **more)
        return _Parts(content, spans)

    def _find(self, line, node):
        if type(node) is not _Parts:
            return self.find(line, node)
        i = -1
        for k, (first, _) in enumerate(node.spans):
            if first > line:
                break
            i = k
        if i not in node.seen:
            try:
                node.seen[i] = self._part(node, i)
            except SyntaxError:
                node.seen[i] = self.parse(node.content)
        return self.find(line, node.seen[i])

    def _part(self, node, i):
        lines, end = [], 0
        if i >= 0:
            first, last = node.spans[i]
            lines = [""] * first + node.content.split("\n")[first:last + 1]
            end = last + 1
        if i + 1 < len(node.spans):
            lines += [""] * (node.spans[i + 1][0] - end) + ["pass"]
        return self.parse("\n".join(lines))

    def look(self, path):
        """Finds the statements of a file of the tree."""
        if path in self.base or self.parse is None or len(self.base) >= _MOST:
            return
        self.base[path] = None
        try:
            lines = [line.rstrip() for line in linecache.updatecache(_ROOT + path)]
            linecache.cache.pop(_ROOT + path, None)
            content = "\n".join(lines)
            spans = self._spans(content)
            if len({first for first, _ in spans}) == len(spans):  # none share a line
                self.base[path] = lines, spans
                self.known[content] = spans
        except Exception:
            pass

    def _spans(self, content):
        spans = []
        for n in self.parse(content).body:
            first = min([n.lineno] + [d.lineno for d in getattr(n, "decorator_list", ())])
            spans.append((first - 1, n.end_lineno - 1))
        for (_, last), (first, _) in zip(spans, spans[1:]):
            if first <= last:
                raise ValueError("two statements share a line")
        return spans

    def change(self, path, statements):
        """Finds those of a file in which some were replaced."""
        for content in self.changed:
            self.known.pop(content, None)
        self.changed = []
        self.look(path)
        if self.base.get(path) is None:
            return
        lines, spans = self.base[path]
        try:
            new_lines, new_spans, at, moved, k = [], [], 0, 0, 0
            for s in statements:
                first = s["old_first"] - 1
                old = s["old"].removesuffix("\n").split("\n")
                new = s["new"].removesuffix("\n").split("\n")
                if [x.rstrip() for x in old] != lines[first:first + len(old)]:
                    return
                new_lines += lines[at:first]
                while k < len(spans) and spans[k][0] < first:
                    new_spans.append((spans[k][0] + moved, spans[k][1] + moved))
                    k += 1
                while k < len(spans) and spans[k][0] < first + len(old):
                    k += 1
                begin = len(new_lines)
                new_spans += [(a + begin, b + begin) for a, b in self._spans("\n".join(new))]
                new_lines += [x.rstrip() for x in new]
                at = first + len(old)
                moved += len(new) - len(old)
            new_lines += lines[at:]
            new_spans += [(a + moved, b + moved) for a, b in spans[k:]]
            content = "\n".join(new_lines)
            if content not in self.known:
                self.known[content] = new_spans
                self.changed.append(content)
        except Exception:
            pass
