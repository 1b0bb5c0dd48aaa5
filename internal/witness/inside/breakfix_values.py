"""Literals of a call, and what may stand where they do. PYTEST_DONT_REWRITE"""

import ast

_LITERALS = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp)


def literals(tree):
    """The literals of a call, outer ones first; not what a name is made of."""
    out = []

    def visit(n):
        if isinstance(n, ast.Lambda):
            return
        if isinstance(n, _LITERALS) and not (isinstance(n, ast.UnaryOp) and not isinstance(n.operand, ast.Constant)):
            out.append(n)
            if isinstance(n, ast.UnaryOp):
                return
        for c in ast.iter_child_nodes(n):
            visit(c)

    visit(tree)
    return out


def splice(text, node, new):
    data = text.encode("utf-8")
    lines = data.split(b"\n")
    at = lambda line, col: sum(len(x) + 1 for x in lines[:line - 1]) + col  # noqa: E731
    start, end = at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)
    return (data[:start] + new.encode("utf-8", "backslashreplace") + data[end:]).decode("utf-8")


def variants(node):
    """Sources that may stand where the literal does."""
    try:
        v = ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError):
        v = Ellipsis
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        yield from containers(node)
        return
    if isinstance(node, ast.Dict):
        items = ["%s: %s" % (ast.unparse(k), ast.unparse(x)) for k, x in zip(node.keys, node.values) if k is not None]
        yield "{}"
        for part in (items[:1], items[1:], items[:-1], list(reversed(items))):
            yield "{" + ", ".join(part) + "}"
        return
    seen = {ast.unparse(node)}
    for x in of(v):
        text = repr(x) if x == x and x not in (float("inf"), float("-inf")) else "float('%r')" % x
        if text not in seen:
            seen.add(text)
            yield text


def containers(node):
    parts = [ast.unparse(e) for e in node.elts]
    for p in ([], parts[:1], parts[:-1], parts[1:], list(reversed(parts)), parts + parts[-1:], parts + parts, sorted(parts), parts[:2], ["None"] + parts):
        if isinstance(node, ast.List):
            yield "[" + ", ".join(p) + "]"
        elif isinstance(node, ast.Tuple):
            yield "(" + ", ".join(p) + ("," if len(p) == 1 else "") + ")"
        else:
            yield "{" + ", ".join(p) + "}" if p else "set()"


def of(v):
    """Values near v, and the usual boundaries."""
    if v is True or v is False:
        return [not v, None]
    if v is None:
        return [0, 1, "", "a", [], False, True]
    if isinstance(v, int):
        return [0, 1, -1, v + 1, v - 1, 2, -v, 10, 2 * v, v // 2, 100, 3, None, 1000]
    if isinstance(v, float):
        return [0.0, 1.0, -v, v + 0.5, v / 2, 1, -1.0, 1e10, float("inf"), float("nan"), v * 10]
    if isinstance(v, complex):
        return [0j, -v, v.conjugate()]
    if isinstance(v, bytes):
        return [b"", v[:1], v[1:], v[:-1], v * 2, b" " + v, v + b"\n", v[::-1], v.upper(), b"\xff", b"\x00" + v]
    if isinstance(v, str):
        out = ["", v[:1], v[:-1], v[1:], v + " ", " " + v, v.upper(), v.lower(), v[::-1], v + v[-1:], v * 2, "a", " ", "\n", v + "\n", v.title(), "é" + v,
               "0", "-1", v.swapcase(), v.replace(" ", ""), v.replace(" ", "  "), v + "é", "a b", "A", "\t" + v, v.strip(), v + "中", "中"]
        if len(v) > 12:
            half = len(v) // 2
            out[5:5] = [v[:half], v[half:], v[:half // 2]]
        if "\n" in v.strip():
            out[3:3] = v.split("\n")[:4]
        words = v.split()
        if len(words) > 2:
            out[5:5] = [" ".join(words[:2]), " ".join(words[-2:]), " ".join(words[:-1]), " ".join(words[1:])] + words[:3]
        return out
    return []


def strategy(node, st, letters):
    """Values of the kind that stands there."""
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if isinstance(node, ast.Constant):
        v = node.value
        if isinstance(v, bool):
            return st.booleans()
        if isinstance(v, int):
            return st.integers(-3, 40)
        if isinstance(v, float):
            return st.floats(-100, 100, allow_nan=False)
        if isinstance(v, str):
            alphabet = sorted(set(v[:60]) | set("aB 1-") | set(sorted(letters)[:40]))
            return st.text(alphabet, max_size=8)
        if isinstance(v, bytes):
            return st.binary(max_size=6)
        return None
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        inner = [strategy(x, st, letters) for x in node.elts[:3]]
        inner = [s for s in inner if s is not None]
        if len(inner) < len(node.elts[:3]) or not inner:
            return None
        if isinstance(node, ast.Tuple):
            return st.tuples(*inner) if len(inner) == len(node.elts) else None
        return st.lists(st.one_of(inner), max_size=5)
    if isinstance(node, ast.Dict) and node.keys and None not in node.keys:
        k, v = strategy(node.keys[0], st, letters), strategy(node.values[0], st, letters)
        if k is not None and v is not None:
            return st.dictionaries(k, v, max_size=4)
    return None
