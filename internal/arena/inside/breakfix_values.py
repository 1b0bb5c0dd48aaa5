

class _BreakfixValues:
    """What other expressions in the place of one would have been, while tests run.
    It stands at the end of a test file of ours. What the code under test does goes
    on as it would, as long as looking changes nothing."""

    RUNS = 40  # of one expression that are looked at, for each line of the test
    ALL = 60000  # evaluations, and for every 64 elements of what they give one more
    CALLS = 5000  # of functions in one evaluation that calls the code's own
    ALL_CALLS = 40000  # each time that the test is gone through
    SECONDS = 0.5  # of processor time, ten times what so many calls take: one that calls nothing any more
    SIMPLE = (int, float, complex, str, bytes, bool, type(None), range)
    UNKNOWN, UNRUN, SAME, ALIKE, DIFFERS, RAISES, MENDS, WANTED, EARLY, BREAKS, PARTLY, FITS, HINTS = "abcdefghijklm"
    SIZED = (str, bytes, list, tuple, dict, set, frozenset)
    SCOPES = ("<listcomp>", "<setcomp>", "<dictcomp>")

    def __init__(self, data):
        import ast
        import builtins
        import json
        import sys

        self.ast, self.frame, self.left, self.looking = ast, sys._getframe, self.ALL, False
        data = json.loads(data)
        self.functions, self.methods, self.own = set(data["functions"]), set(data["methods"]), set(data["own"])
        self.calls, self.trying = self.ALL_CALLS, None
        self.file, self.line = data["file"], data["line"]
        self.source, self.test = data["source"], data["test"]
        self.phase = None  # an assertion that is gone through once more
        self.inner = False  # for what is inside, not for what is returned
        self.wanted = [v for known, v in map(self.literal, data["wanted"]) if known]
        self.sites = []
        for site in data["sites"]:
            others = [self.other(text, site["calls"]) for text in site["others"]]
            self.sites.append({"truth": site["truth"], "returned": site["returned"], "calls": site["calls"], "others": others, "runs": {}, "now": None, "seen": [], "open": False, "full": None, "skipped": 0, "raised": None})
        builtins.__breakfix_value__ = self.value

    def literal(self, text):
        try:
            return True, self.ast.literal_eval(text)
        except Exception:
            return False, None

    def other(self, text, calls):
        """An expression to evaluate; what may have effects is left alone."""
        # at: where the test fails; before: on lines of it that passed
        # now: what it would have been in the phase; mends: it would be wanted where the base is not;
        # wrong: it would not, where the base is (2) or is not (1); fits: it would be the part that is wanted
        # calls: functions of the code's own
        o = {"code": None, "calls": False, "endless": False, "flat": True, "names": (), "at": self.UNRUN, "before": self.UNRUN, "last": False, "now": None, "mends": False, "wrong": 0, "fits": frozenset()}
        try:
            tree = self.ast.parse("(" + text + "\n)", mode="eval")
            if all(map(self.harmless, self.ast.walk(tree))):
                o["code"] = compile(tree, "<value>", "eval")
                o["calls"] = any(isinstance(n, self.ast.Call) and isinstance(n.func, self.ast.Name) and n.func.id in self.own for n in self.ast.walk(tree))
                o["flat"] = not any(hasattr(c, "co_code") for c in o["code"].co_consts)
                if o["calls"] and not calls:
                    o["code"] = None
                o["names"] = tuple({n.id for n in self.ast.walk(tree) if isinstance(n, self.ast.Name)})
        except Exception:
            pass
        return o

    def harmless(self, n):
        a = self.ast
        if isinstance(n, (a.Await, a.Yield, a.YieldFrom, a.NamedExpr)):
            return False
        if isinstance(n, a.Call):
            f = n.func
            if isinstance(f, a.Name):
                return f.id in self.functions or f.id in self.own
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
        if self.trying is not None and self.trying[0] is site:  # in what it calls the other stands here, too
            return self.instead(self.trying[1], self.frame(1))
        # What an evaluation of another expression comes to is not looked at; of calls of itself the outermost is.
        if self.looking or site["open"]:
            return of()
        full = site["full"]
        if full is not None and full[0] is self.phase and full[1].f_lineno == full[2]:
            site["skipped"] += 1  # most likely the same line of the test, of which enough was looked at
            if site["skipped"] % 16:
                return of()
        line = self.test_line(self.frame(1)) if self.left > 0 else None
        if line is not None and self.phase is not None:
            line = self.phase if site["returned"] is not self.inner and not (self.inner and site["truth"]) else None
        if line is None or site["runs"].get(line, 0) >= self.RUNS:
            site["full"] = None if line is None else (self.phase, self.at, self.at.f_lineno)
            return of()
        site["runs"][line] = site["runs"].get(line, 0) + 1
        when = "before" if self.line and line != self.line else "at"
        site["open"] = site["calls"]
        try:
            v = of()
        except Exception as e:
            site["open"] = False
            self.look(site, when, self.frame(1), None, e)
            raise
        finally:
            site["open"] = False
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
                self.at = frame
                return frame.f_lineno
            frame = frame.f_back
        return None

    def env(self, frame):
        """The names at a place in the code."""
        env = {}
        while True:
            for name, value in list(frame.f_locals.items()):
                env.setdefault(name, value)
            if frame.f_code.co_name == "<lambda>" and frame.f_back is not None and frame.f_back.f_code is self.value.__func__.__code__:
                frame = frame.f_back.f_back  # within another expression that is looked at
            elif frame.f_code.co_name in self.SCOPES and frame.f_back is not None:
                frame = frame.f_back
            else:
                return {**frame.f_globals, **env}

    def instead(self, o, frame):
        if o["flat"] and frame.f_code.co_name != "<lambda>":
            return eval(o["code"], frame.f_globals, frame.f_locals)
        return eval(o["code"], self.env(frame))

    def over(self, o):
        """Whether no more can be told of another expression."""
        return o["code"] is None or o["calls"] and (o["endless"] or self.calls <= 0)

    def of(self, site, o, env):
        """What another expression is in its place."""
        if not o["calls"]:
            return eval(o["code"], env)
        import signal
        import sys

        def late(*_):
            self.calls -= self.ALL_CALLS // 4
            raise _BreakfixEnough

        def count(_, event, __):
            if event == "call":
                self.calls -= 1
                if self.calls < least:
                    raise _BreakfixEnough

        least, profile = max(0, self.calls - self.CALLS), sys.getprofile()
        try:
            before = signal.signal(signal.SIGPROF, late)  # not in the main thread: ValueError
            self.trying = (site, o)
            signal.setitimer(signal.ITIMER_PROF, self.SECONDS, self.SECONDS)
            sys.setprofile(count)
            try:
                return eval(o["code"], env)
            finally:
                sys.setprofile(profile)
                signal.setitimer(signal.ITIMER_PROF, 0)
                self.trying = None
                signal.signal(signal.SIGPROF, before or signal.SIG_DFL)
        except _BreakfixEnough:
            o["code"] = None
            raise NameError from None  # it cannot be told

    def others(self, site, when, frame, v, raised):
        env = self.env(frame)
        if self.phase is not None and self.inner:
            if raised is None:
                self.once_inside(site, env, v)
            return
        if self.phase is not None:
            site["now"], site["raised"] = None if raised is not None else (v,), raised
            self.once_more(site, env)
            return
        for o in site["others"]:
            o["last"] = False
            if self.over(o) or o[when] in (self.DIFFERS, self.RAISES, self.MENDS) and not site["returned"]:
                continue
            if any(hasattr(type(env.get(n)), "__next__") for n in o["names"]):
                o["code"] = None
                continue
            self.left -= 1
            try:
                t = self.of(site, o, env)
            except NameError:
                state = self.UNKNOWN  # it may be there all the same
            except Exception as e:
                o["endless"] = isinstance(e, RecursionError)
                state = self.SAME if type(e) is type(raised) and (o["endless"] or str(e) == str(raised)) else self.RAISES
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

    def once_more(self, site, env):
        """What others that may be wanted would have been in this assertion."""
        for o in site["others"]:
            if self.over(o) or not o["last"] and o["at"] not in (self.DIFFERS, self.MENDS):
                continue
            self.left -= 1
            try:
                o["now"] = (self.of(site, o, env),)
            except Exception:
                o["now"] = ()

    def once_inside(self, site, env, v):
        """What others would have been each time that this is evaluated in an assertion."""
        now = []
        for o in site["others"]:
            if self.over(o) or o["at"] != self.DIFFERS:
                continue
            self.left -= 1
            try:
                t = self.of(site, o, env)
            except Exception:
                continue
            if type(t) in self.SIZED:
                self.left -= len(t) // 64
            now.append((o, t))
        site["seen"].append((v, now))

    def go_on(self):
        """Goes through the red test twice more, where it is given nothing, and past the
        assertions that fail: for what is returned, then for what is inside. Where that takes long
        nothing of it counts."""
        self.calls = self.ALL_CALLS
        self.again()
        self.inner, self.left, self.calls = True, self.ALL // 3, self.ALL_CALLS
        self.again()

    def again(self):
        import signal

        def late(*_):
            raise _BreakfixLate

        if not self.test or not any(site["returned"] is not self.inner for site in self.sites):
            return
        try:
            before = signal.signal(signal.SIGVTALRM, late)
        except ValueError:  # not the main thread
            return
        signal.setitimer(signal.ITIMER_VIRTUAL, 1)
        try:
            self.play_again()
        except _BreakfixLate:
            for site in self.sites:
                for o in site["others"]:
                    if self.inner:
                        o["fits"] = frozenset()
                    else:
                        o["mends"], o["wrong"] = False, 0
        except BaseException:
            pass  # what it came to counts
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before or signal.SIG_DFL)
            self.phase = None

    def play_again(self):
        import sys

        module = next(m for m in list(sys.modules.values()) if str(getattr(m, "__file__", "")).endswith(self.file))
        tree = self.ast.parse(self.source)
        _breakfix_soften(self.ast, tree)
        names = {"__name__": module.__name__, "__file__": module.__file__, "__breakfix_soft__": self.soft}
        exec(compile(tree, module.__file__, "exec"), names)
        test = names[self.test[0]]
        for name in self.test[1:]:
            if not isinstance(test, type) or any(hasattr(test, n) for n in ("setup_method", "setup_class", "setup")):
                return
            test = test(name) if hasattr(test, "assertEqual") else test()
            if hasattr(test, "setUp"):
                test.setUp()
            test = getattr(test, name)
        code = getattr(test, "__code__", None)
        if code is not None and code.co_argcount == len(self.test) - 1 and not code.co_flags & 0x2A0:  # neither generator nor coroutine
            test()

    def soft(self, line, of, wants):
        """An assertion: of should be what wants is."""
        for site in self.sites:
            site["now"], site["seen"], site["raised"] = None, [], None
            for o in site["others"]:
                o["now"] = None
        self.phase, raised, is_now = ("once more", line, self.left), None, None
        try:
            try:
                is_now = of()
            except Exception as e:
                raised = e
            self.phase, wanted = None, wants()
        finally:
            self.phase = None
        if self.inner:
            if raised is None:
                self.fit(is_now, wanted)
            return
        for site in self.sites:
            # what is returned here is what is compared, or would be without this exception
            if raised is not None and site["raised"] is raised or raised is None and site["now"] is not None and self.equal(site["now"][0], is_now):
                failed = raised is not None or not self.same(is_now, wanted)
                for o in site["others"]:
                    if o["now"] is None:
                        continue
                    if not o["now"] or not self.same(o["now"][0], wanted):
                        o["wrong"] = max(o["wrong"], 1 if failed else 2)
                    elif failed:
                        o["mends"] = True

    def fit(self, is_now, wanted):
        """Says of others whether they would be what the assertion wants, or the part of it that
        differs, where the base is what is there; or whether they would add up to it. They must in
        each assertion that fails, and may change nothing in the others."""
        if self.left <= 0:  # something was not seen
            return
        parts, failed = self.parts(is_now, wanted), not self.same(is_now, wanted)
        number = type(is_now) in (int, float) and type(wanted) in (int, float)
        for site in self.sites:
            would = {}
            for v, now in site["seen"]:
                of = [e for a, e in parts if self.equal(v, a)]
                for o, t in now:
                    w = would.setdefault(id(o), [o, False, 0, False])
                    w[1] = w[1] or any(self.equal(t, e) for e in of)
                    w[2] += t - v if type(v) in (int, float) and type(t) in (int, float) else 0
                    w[3] = self.equal(v, is_now) and self.same(t, wanted)  # the last time
            adds = number and len(site["seen"]) < self.RUNS
            for o, part, added, last in would.values():
                if failed:
                    fits = last if number else part
                    fits = fits or adds and added == wanted - is_now
                    o["fits"] = o["fits"] | {fits}
                elif adds and added and not last:
                    o["fits"] = o["fits"] | {False}

    def parts(self, x, y):
        """What is there and what is wanted, as a whole and where they first differ."""
        out = [(x, y)]
        while len(out) < 4:
            if type(x) is type(y) and type(x) in (list, tuple):
                pair = next(((a, b) for a, b in zip(x, y) if not self.same(a, b)), None)
            elif type(x) is dict and type(y) is dict:
                pair = next(((x[k], y[k]) for k in y if k in x and not self.same(x[k], y[k])), None)
            elif type(x) in (set, frozenset) and type(y) in (set, frozenset) and len(x - y) == len(y - x) == 1:
                pair = (*(x - y), *(y - x))
            else:
                pair = None
            if pair is None:
                break
            out.append(pair)
            x, y = pair
        return out

    def same(self, x, y):
        return self.equal(x, y) or type(x) in self.SIMPLE and type(y) in self.SIMPLE and x == y

    def equal(self, x, y):
        return type(x) is type(y) and self.alike(x, y) in (self.SAME, self.ALIKE)

    def compared(self, site, v, t):
        if site["truth"]:
            return self.SAME if bool(v) is bool(t) else self.DIFFERS
        return self.alike(v, t)

    def is_wanted(self, v):
        return any(self.equal(v, w) for w in self.wanted)

    def told(self):
        out = []
        looked = any(site["runs"] for site in self.sites)  # else it ran elsewhere, in another process say
        for site in self.sites:
            for o in site["others"]:
                out.append(self.told_of(site, o) if looked else self.UNKNOWN)
        return "".join(out)

    def told_of(self, site, o):
        if o["code"] is None:
            return self.UNKNOWN
        if o["last"] or o["mends"]:
            return (self.WANTED, self.PARTLY, self.DIFFERS)[o["wrong"]]
        if o["at"] in (self.UNRUN, self.SAME, self.ALIKE):
            return o["at"]
        if True in o["fits"]:
            return self.HINTS if False in o["fits"] else self.FITS
        if o["before"] == self.RAISES:
            return self.BREAKS
        if o["at"] == self.DIFFERS and o["before"] == self.DIFFERS:
            return self.EARLY
        return o["at"]


class _BreakfixLate(BaseException):
    pass


class _BreakfixEnough(BaseException):
    pass


def _breakfix_soften(ast, tree):
    """Replaces each assertion that compares what is called with what is not."""

    def calls(n):
        return any(isinstance(k, (ast.Call, ast.Await)) for k in ast.walk(n))

    def compared(n):
        """(what is called, what is wanted), None where there are no such two."""
        if isinstance(n, ast.Assert):
            t = n.test
            if isinstance(t, ast.Compare) and len(t.ops) == 1 and isinstance(t.ops[0], (ast.Eq, ast.Is)):
                return t.left, t.comparators[0]
            if isinstance(t, ast.UnaryOp) and isinstance(t.op, ast.Not):
                return t.operand, ast.Constant(False)
            return (t, ast.Constant(True)) if isinstance(t, ast.Call) else None
        call = n.value if isinstance(n, ast.Expr) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and not call.keywords:
            name, args = call.func.attr, call.args
            if name in ("assertEqual", "assertEquals", "assertIs", "assertListEqual", "assertTupleEqual", "assertDictEqual", "assertSetEqual") and len(args) >= 2:
                return args[0], args[1]
            if name in ("assertTrue", "assertFalse", "assertIsNone") and args:
                return args[0], ast.Constant({"assertTrue": True, "assertFalse": False, "assertIsNone": None}[name])
        return None

    class Soften(ast.NodeTransformer):
        def soft(self, n):
            pair = compared(n)
            if pair is None:
                return n if isinstance(n, ast.Expr) else ast.copy_location(ast.Pass(), n)
            of, wants = pair if calls(pair[0]) else pair[::-1]
            if not calls(of) or calls(wants):
                return ast.copy_location(ast.Pass(), n)
            args = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
            new = ast.Expr(ast.Call(ast.Name("__breakfix_soft__", ast.Load()), [ast.Constant(n.lineno), ast.Lambda(args, of), ast.Lambda(args, wants)], []))
            return ast.copy_location(new, n)

        visit_Assert = visit_Expr = soft

    Soften().visit(tree)
    ast.fix_missing_locations(tree)


def _breakfix_tell(begin, end):
    if begin == 0:
        _breakfix_values.go_on()
    raise AssertionError("values:" + _breakfix_values.told()[begin:end] + ":")

