"""Tests that tell two outcomes of a call apart, the plainest first. PYTEST_DONT_REWRITE"""

import ast
import builtins
import keyword

from breakfix_express import used
from breakfix_tell import Call

_WRAPPERS = {"": "%s", "list": "list(%s)", "run": "asyncio.run(%s)", "first": "list(itertools.islice(%s, 6))"}
_IMPORTS = {"run": {"asyncio": "import asyncio"}, "first": {"itertools": "import itertools"}}


def tests(candidate, was, now):
    """was is what the call does on the base, now on the bug."""
    call = Call(candidate)
    text = candidate["call"]
    how = was.get("how") or now.get("how") or ""
    taken = _WRAPPERS[how] % text
    extra = dict(_IMPORTS.get(how, {}))

    def file(lines, *imports):
        return render(candidate, call, list(candidate["setup"]) + lines, [extra] + list(imports))

    def equal(left, right):
        return "assert %s %s %s" % (left, "is" if right in ("True", "False", "None") else "==", right)

    if "error" in was:
        if "raises" in was and call.expression is not None:
            pt = {"pytest": "import pytest"}
            plain = ["with pytest.raises(%s):" % was["raises"], "    " + taken]
            caught = ["with pytest.raises(%s) as caught:" % was["raises"], "    " + taken]
            if now.get("error") != was["error"]:
                yield file(plain, was["imports"], pt)
                yield file(caught + ["assert caught.type is " + was["raises"]], was["imports"], pt)
            if "message" in was and "message" in now and was["message"] != now["message"]:
                yield file(caught + ["assert str(caught.value) == %r" % was["message"]], was["imports"], pt)
    elif call.expression is not None and (now.get("text") != was["text"] or now.get("error") or now.get("how") != was.get("how") or now.get("type") != was.get("type")):
        if "source" in was:
            if was["defs"]:
                return
            yield file([equal(taken, was["source"])], was["imports"])
            yield file(["assert repr(%s) == %r" % (taken, was["source"])])
            if hasattr(builtins, was["type"]) and was["type"] != now.get("type"):
                yield file(["assert type(%s) is %s" % (taken, was["type"])])
        else:
            others = {p[0]: p[1] for p in now.get("parts") or ()}
            for path, source, imports in was["parts"]:
                if others.get(path) != source:
                    yield file([equal(path % taken, source)], imports)
            if now.get("error"):
                yield file(["assert %s is not None" % taken])
    for i, left in was.get("changed", {}).items():
        if left and now.get("changed", {}).get(i) != left and "error" not in was:
            yield from argument(candidate, call, int(i), left, render, equal)
    for i in now.get("changed", {}):
        if i not in was.get("changed", {}) and "error" not in was and call.function is not None:
            node = (call.args + [k.value for k in call.keywords])[int(i)]
            yield from argument(candidate, call, int(i), (ast.unparse(node), {}), render, equal)
    if was.get("state") != now.get("state") and "error" not in was:
        yield from state(candidate, call, was, now, render, equal)


def argument(candidate, call, i, left, render, equal):
    """What is left of an argument."""
    nodes = call.args + [k.value for k in call.keywords]
    node = nodes[i]
    if isinstance(node, ast.Name):
        return
    name = free({ast.List: "items", ast.Dict: "mapping", ast.Set: "members"}.get(type(node), "value"), candidate)
    bound = replaced(call.expression, node, name)
    lines = list(candidate["setup"]) + ["%s = %s" % (name, ast.unparse(node)), bound, equal(name, left[0])]
    yield render(candidate, call, lines, [left[1]])


def state(candidate, call, was, now, render, equal):
    """What is left of the receiver."""
    lines, name = list(candidate["setup"]), call.subject()
    text = candidate["call"]
    if call.receiver is not None and not (isinstance(call.receiver, ast.Name) and call.receiver.id == name):
        if isinstance(call.receiver, ast.Name):
            return
        r = call.receiver
        name = free(variable(r.func.id if isinstance(r, ast.Call) and isinstance(r.func, ast.Name) else "subject"), candidate)
        lines.append("%s = %s" % (name, ast.unparse(r)))
        text = replaced(call.expression, r, name)
    if not name:
        return
    others = {p[0]: p[1] for p in now.get("left") or ()}
    for path, source, imports in was.get("left") or ():
        if others.get(path) != source:
            yield render(candidate, call, lines + [text, equal(path % name, source)], [imports])


def variable(cls):
    return cls.lower() if cls.lower() != cls else cls + "_"


def free(name, candidate):
    while name in candidate["imports"] or name in candidate["defs"] or keyword.iskeyword(name) or hasattr(builtins, name):
        name += "_"
    return name


class _Replace(ast.NodeTransformer):
    def __init__(self, node, name):
        self.node, self.name = node, name

    def visit(self, n):
        if n is self.node:
            return ast.Name(self.name, ast.Load())
        return self.generic_visit(n) and n


def replaced(expression, node, name):
    import copy

    memo = {id(node): node}
    tree = copy.deepcopy(expression, memo)
    return ast.unparse(ast.fix_missing_locations(_Replace(node, name).visit(tree)))


def render(candidate, call, lines, imports):
    """A file with one test."""
    have = dict(candidate["imports"])
    for more in imports:
        have.update(more)
    names = set()
    for text in ["\n".join(lines)] + list(candidate["defs"].values()):
        names |= used(text)
    head = sorted({line for n, line in have.items() if n in names}, key=lambda s: (s.startswith("from"), s))
    std = [h for h in head if h.startswith("import ")]
    rest = [h for h in head if not h.startswith("import ")]
    out = std + ([""] if std and rest else []) + rest
    if out:
        out += ["", ""]
    for n, text in candidate["defs"].items():
        if n in names:
            out += text.split("\n") + ["", ""]
    out.append("def test_%s():" % candidate["title"])
    out += ["    " + line for line in lines]
    return "\n".join(out) + "\n"
