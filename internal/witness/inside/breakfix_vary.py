"""Calls like those that were recorded. PYTEST_DONT_REWRITE

Recorded calls, the same with one literal changed, with another call's values,
with an optional argument more or less, and with values that hypothesis draws.
"""

import ast
import inspect
import itertools
import random
import re
import sys

from breakfix_express import Cannot, Writer
from breakfix_values import literals, of, splice, strategy, variants
from breakfix_write import free, variable

_PLACES = 14  # literals of one call that are changed
_EXACT = 120  # recorded calls that are made as they are
_DRAWN = 60  # that hypothesis draws for one call
_LONGEST = 900  # characters of one call


def candidates(records, code, most, words):
    """At most most calls, the shortest first; words are sources of literals that
    stand in the code."""
    made, seen = [], set()

    def add(record, setup, call, kind):
        if len(call) + sum(map(len, setup)) > _LONGEST:
            return False
        key = (tuple(setup), call)
        if key in seen:
            return False
        seen.add(key)
        c = {"setup": setup, "call": call, "imports": record["imports"], "defs": record["defs"], "title": title(record["name"]), "name": record["name"],
             "test": record["test"], "kind": kind}
        c["cost"] = cost(c, record)
        made.append(c)
        return True

    forms = []
    for r in records:
        for setup, call in shapes(r):
            forms.append((r, setup, call))
    forms.sort(key=lambda f: (len(f[2]) + sum(map(len, f[1])) + 200 * (not f[0]["public"]), f[1], f[2]))
    for r, setup, call in forms[:_EXACT]:
        add(r, setup, call, "recorded")
    pool = values(forms)
    makers = [worded(f, words) for f in spread(forms, 8)]
    makers += [changes(*f, pool) for f in forms[:60]] + [drawn(f, code, words) for f in spread(forms, 3)]
    rng = random.Random(0)
    makers += [pairs(forms[:10], rng)]
    tries = 20 * most
    while makers and len(made) < 2 * most and tries > 0:
        for m in list(makers):
            tries -= 1
            try:
                r, setup, call, kind = next(m)
            except (StopIteration, ValueError, TypeError, SyntaxError, RecursionError):
                makers.remove(m)  # it is at its end, or has come to what cannot be written
                continue
            add(r, setup, call, kind)
    exact = [c for c in made if c["kind"] == "recorded"]
    other = [c for c in made if c["kind"] != "recorded"]
    other.sort(key=lambda c: (c["cost"], c["call"]))
    # Of each kind a share, so that no kind crowds out the rest.
    left, kept = max(0, most - len(exact)), []
    kinds = {}
    for c in other:
        kinds.setdefault(c["kind"], []).append(c)
    for group in itertools.zip_longest(*kinds.values()):
        kept += [c for c in group if c is not None]
    out = exact + kept[:left]
    out.sort(key=lambda c: (c["cost"], c["call"]))
    return out


def title(name):
    parts = [p.strip("_") for p in name.split(".") if p.strip("_") not in ("init", "new", "call")]
    return re.sub(r"\W", "_", "_".join(p for p in parts if p)).lower() or "call"


def cost(c, record):
    return len(c["call"]) + sum(len(s) + 12 for s in c["setup"]) + sum(len(d) + 20 for d in c["defs"].values()) + (0 if record["public"] else 60)


def shapes(r):
    """The ways to write a recorded call: (setup, call)."""
    call, receiver = r["call"], r["receiver"]
    if not receiver:
        return [([], call)]
    if not re.match(r"_r_\b", call) or call.startswith("del ") or re.match(r"_r_\[.*\] = ", call):
        name = ""
    else:
        name = "inline"
    head = re.match(r"[A-Za-z_][A-Za-z_0-9]*", receiver.rpartition(".")[2] if "(" not in receiver else receiver.partition("(")[0].rpartition(".")[2])
    var = free(variable(head.group(0)) if head else "subject", r)
    say = lambda text: re.sub(r"(?<![\w'\"])_r_(?!\w)", lambda _: var, text)  # noqa: E731
    out = []
    if name:
        out.append(([], re.sub(r"^_r_\b", lambda _: receiver, call, count=1)))
    else:
        out.append(([var + " = " + receiver], say(call)))
    if r["history"]:
        out.append(([var + " = " + receiver] + [say(h) for h in r["history"][-3:]], say(call)))
        if len(r["history"]) > 1:
            out.append(([var + " = " + receiver, say(r["history"][-1])], say(call)))
    return out


def spread(forms, n):
    """The shortest call of each of the first n functions."""
    out, seen = [], set()
    for f in forms:
        if f[0]["name"] not in seen and len(out) < n:
            seen.add(f[0]["name"])
            out.append(f)
    return out


def changes(r, setup, call, pool):
    """One literal of the call or of its receiver changed."""
    whole = list(setup) + [call]
    spots = []
    for i in reversed(range(len(whole))):
        for node in literals(ast.parse(whole[i]))[:_PLACES]:
            spots.append((i, node, variants(node)))
    options = list(extras(r, call, pool))
    while spots or options:
        for spot in list(spots):
            i, node, new = spot
            try:
                text = next(new)
            except StopIteration:
                spots.remove(spot)
                continue
            lines = list(whole)
            lines[i] = splice(whole[i], node, text)
            yield r, lines[:-1], lines[-1], "changed"
        for _ in range(min(2, len(options))):
            yield r, list(setup), options.pop(0), "options"


def worded(form, words):
    """One literal replaced by one that stands in the code, or joined with it."""
    r, setup, call = form
    whole = list(setup) + [call]
    spots = []
    for i in reversed(range(len(whole))):
        spots += [(i, n) for n in literals(ast.parse(whole[i])) if isinstance(n, (ast.Constant, ast.UnaryOp))][:4]
    near = []
    for w in words:
        v = ast.literal_eval(w)
        if isinstance(v, (str, bytes)) and len(v) <= 60:
            a, space, zero = ("a", " ", "1") if isinstance(v, str) else (b"a", b" ", b"1")
            near.append([v, a + v, v + a, a + v + a, v + v, v[-1:], zero + v + zero, space + v])
        elif isinstance(v, (int, float)) and not isinstance(v, bool):
            near.append([v, v + 1, v - 1, -v])
            if isinstance(v, int) and 32 <= v < 0x110000 and not 0xd800 <= v < 0xe000:
                near.append([chr(v), "a" + chr(v)])
    for row in itertools.zip_longest(*near):
        for v in row:
            for i, node in spots:
                try:
                    had = ast.literal_eval(node)
                except ValueError:
                    continue
                if v is None or isinstance(v, (str, bytes)) and type(v) is not type(had) or isinstance(v, (int, float)) and not isinstance(had, (int, float)):
                    continue
                lines = list(whole)
                lines[i] = splice(whole[i], node, repr(v))
                yield r, lines[:-1], lines[-1], "worded"
                if isinstance(v, (str, bytes)) and had and len(had) < 30:
                    lines = list(whole)
                    lines[i] = splice(whole[i], node, repr(had + v))
                    yield r, lines[:-1], lines[-1], "worded"


def pairs(forms, rng):
    """Two literals changed."""
    for _ in range(200):
        if not forms:
            return
        r, setup, call = rng.choice(forms)
        nodes = literals(ast.parse(call))
        if not nodes:
            continue
        node = rng.choice(nodes)
        text = rng.choice(list(variants(node)) or [ast.unparse(node)])
        once = splice(call, node, text)
        nodes = literals(ast.parse(once))
        if not nodes:
            continue
        node = rng.choice(nodes)
        yield r, list(setup), splice(once, node, rng.choice(list(variants(node)) or [ast.unparse(node)])), "pair"


_parameters = {}


def parameters(r):
    key = r["module"], r["name"], bool(r["receiver"])
    if key not in _parameters:
        _parameters[key] = _look(r)
    return dict(_parameters[key])


def _look(r):
    """The parameters of the function that a recorded call calls, by name; {} when they are not known."""
    module = sys.modules.get(r["module"])
    if module is None:
        try:
            __import__(r["module"])
            module = sys.modules[r["module"]]
        except BaseException:
            return {}
    at = module
    for part in r["name"].split("."):
        at = getattr(at, part, None)
    try:
        found = dict(inspect.signature(at).parameters)
    except (TypeError, ValueError):
        return {}
    if r["receiver"] or r["name"].endswith("__init__"):
        found.pop(next(iter(found), None), None)
    return found


def values(forms):
    """What recorded calls pass: (function, parameter) → sources, shortest first."""
    out = {}
    for r, _, call in forms:
        for name, node in passed(r, call):
            out.setdefault((r["name"], name), set()).add(ast.unparse(node))
    return {k: sorted(v, key=lambda s: (len(s), s))[:12] for k, v in out.items()}


def passed(r, call):
    e = ast.parse(call).body[0]
    e = e.value if isinstance(e, ast.Expr) else None
    if not isinstance(e, ast.Call):
        return []
    names = list(parameters(r))
    return list(zip(names, e.args)) + [(k.arg, k.value) for k in e.keywords if k.arg]


def extras(r, call, pool):
    """An optional argument more, less, or with another call's value."""
    e = ast.parse(call).body[0]
    e = e.value if isinstance(e, ast.Expr) else None
    if not isinstance(e, ast.Call) or any(isinstance(a, ast.Starred) for a in e.args):
        return
    params = parameters(r)
    have = {n for n, _ in passed(r, call)}
    for n, p in params.items():
        if n in have or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY) or p.default is p.empty:
            continue
        known = [s for s in pool.get((r["name"], n), ()) if not re.search(r"[A-Za-z_]\w*\(", s) and not re.match(r"[a-z_]\w*$", s)]
        near = []
        if isinstance(p.default, (bool, int, float, str, bytes, type(None))):
            near = [repr(x) for x in of(p.default)[:7] if x == x]
        for text in known[:5] + near:
            end = call.rindex(")")
            yield "%s%s%s=%s)" % (call[:end], ", " if e.args or e.keywords else "", n, text)
    for k in e.keywords:
        rest = ast.Call(e.func, e.args, [x for x in e.keywords if x is not k])
        yield ast.unparse(rest)
    for n, node in passed(r, call):
        for text in pool.get((r["name"], n), ())[:8]:
            if not re.search(r"[A-Za-z_]\w*", re.sub(r"'[^']*'|\"[^\"]*\"", "", text).replace("None", "").replace("True", "").replace("False", "")):
                yield splice(call, node, text)


def drawn(form, code, words):
    """Values that hypothesis draws for the arguments of a call."""
    r, setup, call = form
    try:
        import hypothesis
        from hypothesis import strategies as st
    except BaseException:
        return
    tree = ast.parse(call).body[0]
    e = tree.value if isinstance(tree, ast.Expr) else None
    if not isinstance(e, ast.Call):
        return
    nodes, annotated = [], {}
    params = parameters(r)
    names = {id(node): n for n, node in passed(r, call)}
    for n, p in params.items():
        if p.annotation in (int, str, float, bool, bytes):
            annotated[n] = p.annotation
    letters = set("".join(w for w in map(ast.literal_eval, words) if isinstance(w, str)))
    for node in list(e.args) + [k.value for k in e.keywords]:
        if id(node) in names and names[id(node)] in annotated:
            nodes.append((node, st.from_type(annotated[names[id(node)]])))
            continue
        s = strategy(node, st, letters)
        if s is not None:
            nodes.append((node, s))
    if not nodes:
        return
    got = []

    @hypothesis.settings(max_examples=_DRAWN, derandomize=True, database=None, deadline=None, phases=[hypothesis.Phase.generate],
                         suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(st.tuples(*[s for _, s in nodes]))
    def collect(values):
        got.append(values)

    try:
        collect()
    except Exception:  # hypothesis has errors of its own
        pass
    for v in got:
        text = call
        try:
            new = [Writer(code).source(x) for x in v]
        except Cannot:
            continue
        for (node, _), s in sorted(zip(nodes, new), key=lambda p: (-p[0][0].lineno, -p[0][0].col_offset)):
            text = splice(text, node, s)
        yield r, list(setup), text, "drawn"
