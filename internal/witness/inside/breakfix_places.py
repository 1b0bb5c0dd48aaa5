"""What stands at the changed places. PYTEST_DONT_REWRITE"""

import ast

from breakfix_express import ROOT

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_WORDS = 60


def parsed(path):
    try:
        with open(ROOT + path, "rb") as f:
            return ast.parse(f.read())
    except (OSError, SyntaxError, ValueError):
        return None


def first_line(n):
    return min([n.lineno] + [d.lineno for d in n.decorator_list])


def targets(places):
    """({(path, first line, name)} of functions whose calls are wanted, {path} of files
    where all are). A place outside of functions is come to by those that mention
    what it binds, or what is made of that."""
    out, whole = set(), set()
    for place in places:
        tree, path = parsed(place["path"]), place["path"]
        if tree is None:
            continue
        if not place.get("module"):
            inner = None
            for n in ast.walk(tree):
                if isinstance(n, _FUNCTIONS) and first_line(n) <= place["first"] and place["last"] <= n.end_lineno and (inner is None or first_line(n) > inner[0]):
                    inner = first_line(n), n.name
            if inner is not None:
                out.add((path,) + inner)
                continue
        found = users(tree, place)
        out |= {(path, first_line(n), n.name) for n in found}
        if not found:
            whole.add(path)
    return out, whole


def users(tree, place):
    names, found = set(), []
    for s in tree.body:
        if s.lineno <= place["last"] and place["first"] <= s.end_lineno:
            names |= bound(s)
            found += [n for n in ast.walk(s) if isinstance(n, _FUNCTIONS)]
    more = True
    while more and names:
        more = False
        for s in tree.body:
            if not isinstance(s, _FUNCTIONS + (ast.ClassDef,)) and mentions(s, names) and not bound(s) <= names:
                names |= bound(s)
                more = True
    for n in ast.walk(tree):
        if isinstance(n, _FUNCTIONS) and mentions(n, names):
            found.append(n)
    return found


def bound(s):
    if isinstance(s, _FUNCTIONS + (ast.ClassDef,)):
        return {s.name}
    return {n.id for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def mentions(s, names):
    return any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(s))


def words(places, lines):
    """Sources of the literals that stand in the functions, and in the changed lines
    outside of them; the literals of the changed lines first."""
    out = []
    for place in list(lines) + [p for p in places if not p.get("module")]:
        tree = parsed(place["path"])
        if tree is None:
            continue
        texts = {id(s.value) for n in ast.walk(tree) if hasattr(n, "body") and isinstance(n.body, list) for s in n.body if isinstance(s, ast.Expr)}
        for n in ast.walk(tree):
            if isinstance(n, ast.Constant) and id(n) not in texts and place["first"] <= n.lineno <= place["last"]:
                if isinstance(n.value, (str, bytes, int, float)) and not isinstance(n.value, bool) and repr(n.value) not in out:
                    out.append(repr(n.value))
    return out[:_WORDS]
