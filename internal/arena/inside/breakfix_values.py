

class _BreakfixValues:
    """What other expressions in the place of one would have been, while tests run.
    It stands at the end of a test file of ours. What the code under test does goes
    on as it would, as long as looking changes nothing."""

    RUNS = 40  # of one expression that are looked at, for each line of the test
    ALL = 60000  # evaluations, and for every 64 elements of what they give one more
    SIMPLE = (int, float, complex, str, bytes, bool, type(None), range)
    UNKNOWN, UNRUN, SAME, ALIKE, DIFFERS, RAISES, MENDS, WANTED, EARLY, BREAKS = "abcdefghij"
    SIZED = (str, bytes, list, tuple, dict, set, frozenset)
    SCOPES = ("<listcomp>", "<setcomp>", "<dictcomp>")

    def __init__(self, data):
        import ast
        import builtins
        import json
        import sys

        self.ast, self.frame, self.left, self.looking = ast, sys._getframe, self.ALL, False
        data = json.loads(data)
        self.functions, self.methods = set(data["functions"]), set(data["methods"])
        self.file, self.line = data["file"], data["line"]
        self.wanted = [v for known, v in map(self.literal, data["wanted"]) if known]
        self.sites = []
        for site in data["sites"]:
            others = [self.other(text) for text in site["others"]]
            self.sites.append({"truth": site["truth"], "returned": site["returned"], "others": others, "runs": {}})
        builtins.__breakfix_value__ = self.value

    def literal(self, text):
        try:
            return True, self.ast.literal_eval(text)
        except Exception:
            return False, None

    def other(self, text):
        """An expression to evaluate; what may have effects is left alone."""
        # at: where the test fails; before: on lines of it that passed
        o = {"code": None, "names": (), "at": self.UNRUN, "before": self.UNRUN, "last": False}
        try:
            tree = self.ast.parse("(" + text + "\n)", mode="eval")
            if all(map(self.harmless, self.ast.walk(tree))):
                o["code"] = compile(tree, "<value>", "eval")
                o["names"] = tuple({n.id for n in self.ast.walk(tree) if isinstance(n, self.ast.Name)})
        except Exception:
            pass
        return o

    def harmless(self, n):
        a = self.ast
        if isinstance(n, (a.Await, a.Yield, a.YieldFrom, a.NamedExpr, a.JoinedStr)):
            return False
        if isinstance(n, a.Call):
            f = n.func
            if isinstance(f, a.Name):
                return f.id in self.functions
            return isinstance(f, a.Attribute) and f.attr in self.methods
        if isinstance(n, a.Attribute):  # of a class: written otherwise
            return not (n.attr.startswith("__") and not n.attr.endswith("__"))
        return True

    def alike(self, x, y):
        if x is y:
            return self.SAME
        if type(x) is not type(y):
            return self.DIFFERS
        if type(x) in self.SIMPLE:
            return self.SAME if x == y or x != x and y != y else self.DIFFERS
        if type(x) is tuple:
            states = {self.alike(a, b) for a, b in zip(x, y)} if len(x) == len(y) else {self.DIFFERS}
            for state in (self.DIFFERS, self.UNKNOWN, self.ALIKE):
                if state in states:
                    return state
            return self.SAME
        if type(x) in (list, dict, set, frozenset, bytearray):
            return self.ALIKE if x == y else self.DIFFERS
        return self.UNKNOWN

    def value(self, k, of):
        site = self.sites[k]
        # What an evaluation of another expression comes to is not looked at.
        line = self.test_line(self.frame(1)) if self.left > 0 and not self.looking else None
        if line is None or site["runs"].get(line, 0) >= self.RUNS:
            return of()
        site["runs"][line] = site["runs"].get(line, 0) + 1
        when = "before" if self.line and line != self.line else "at"
        try:
            v = of()
        except Exception as e:
            self.look(site, when, self.frame(1), None, e)
            raise
        self.look(site, when, self.frame(1), v, None)
        return v

    def look(self, site, when, frame, v, raised):
        self.looking = True
        try:
            self.others(site, when, frame, v, raised)
        finally:
            self.looking = False

    def test_line(self, frame):
        """Where the test is; None outside of it."""
        while frame is not None:
            if frame.f_code.co_filename.endswith(self.file):
                return frame.f_lineno
            frame = frame.f_back
        return None

    def others(self, site, when, frame, v, raised):
        env = {}
        while True:
            for name, value in list(frame.f_locals.items()):
                env.setdefault(name, value)
            if frame.f_code.co_name not in self.SCOPES or frame.f_back is None:
                break
            frame = frame.f_back
        env = {**frame.f_globals, **env}
        for o in site["others"]:
            if o["code"] is None or o[when] in (self.DIFFERS, self.RAISES, self.MENDS) and not site["returned"]:
                continue
            if any(hasattr(type(env.get(n)), "__next__") for n in o["names"]):
                o["code"] = None
                continue
            self.left -= 1
            o["last"] = False
            try:
                t = eval(o["code"], env)
            except NameError:
                state = self.UNKNOWN  # it may be there all the same
            except Exception as e:
                state = self.SAME if type(e) is type(raised) and str(e) == str(raised) else self.RAISES
            else:
                if type(t) in self.SIZED:
                    self.left -= len(t) // 64
                try:
                    state = self.MENDS if raised is not None else self.compared(site, v, t)
                    o["last"] = site["returned"] and state not in (self.SAME, self.ALIKE) and self.is_wanted(t)
                except Exception:
                    state = self.UNKNOWN  # its values cannot be compared
            if state == self.UNKNOWN:
                o["code"] = None
            else:
                o[when] = max(o[when], state)

    def compared(self, site, v, t):
        if site["truth"]:
            return self.SAME if bool(v) is bool(t) else self.DIFFERS
        return self.alike(v, t)

    def is_wanted(self, v):
        return any(type(v) is type(w) and self.alike(v, w) in (self.SAME, self.ALIKE) for w in self.wanted)

    def told(self):
        out = []
        for site in self.sites:
            for o in site["others"]:
                out.append(self.told_of(site, o))
        return "".join(out)

    def told_of(self, site, o):
        if o["code"] is None:
            return self.UNKNOWN
        if o["last"]:
            return self.WANTED
        if o["at"] in (self.UNRUN, self.SAME, self.ALIKE):
            return o["at"]
        if o["before"] == self.RAISES:
            return self.BREAKS
        if o["at"] == self.DIFFERS and o["before"] == self.DIFFERS:
            return self.EARLY
        return o["at"]


def _breakfix_tell(begin, end):
    raise AssertionError("values:" + _breakfix_values.told()[begin:end] + ":")

