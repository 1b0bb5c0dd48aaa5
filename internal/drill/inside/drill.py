"""Runs calls that docstrings show, on functions as they are and on damaged ones.

    drill.py show FOLDER < paths        a JSON line for each function
    drill.py fail FOLDER < questions    a JSON line for each question

Each module and each damaged function has a process of its own under limits;
what ends early, hangs or kills itself has no answer.
"""
import ast
import doctest
import importlib
import io
import json
import os
import resource
import signal
import sys
import tokenize

SECONDS = 0.5  # of the processor, of one damaged function
MODULE_SECONDS = 4  # of loading a module and running what its docstrings show
WALL = 20  # times as long by the clock: a busy machine is no reason to be late
LONGEST = 160  # characters of a shown value or call
MOST = 8  # calls of a function


def child(work, seconds):
    """Runs work in a process of its own and returns what it says, None if nothing."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        answer = None
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.setitimer(signal.ITIMER_PROF, seconds)
            signal.setitimer(signal.ITIMER_REAL, WALL * seconds)
            answer = work(w)
        except BaseException:
            pass
        finally:
            if answer is not None:
                with os.fdopen(w, "w") as out:
                    out.write(json.dumps(answer))
            os._exit(0)
    os.close(w)
    with os.fdopen(r) as out:
        text = out.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGALRM, signal.SIGPROF):
        return "timeout"
    try:
        return json.loads(text)
    except ValueError:
        return None


def plain(value):
    """The text of a value that is written in full and read back as the same; else None."""
    text = repr(value)
    if len(text) > LONGEST or "\n" in text:
        return None
    try:
        if ast.literal_eval(text) != value:
            return None
    except Exception:
        return None
    return text


def functions(tree, source):
    """Functions of the module's top level with calls of themselves that their docstrings show."""
    lines = source.split("\n")
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.decorator_list or len(node.body) < 2:
            continue
        shown = ast.get_docstring(node)
        if not shown or ">>>" not in shown:
            continue
        calls = []
        try:
            examples = doctest.DocTestParser().get_examples(shown)
        except ValueError:
            continue
        for e in examples:
            call = e.source.strip()
            try:
                top = ast.parse(call, mode="eval").body
            except SyntaxError:
                continue
            if isinstance(top, ast.Call) and isinstance(top.func, ast.Name) and top.func.id == node.name and len(call) <= LONGEST and "\n" not in call and call not in calls:
                calls.append(call)
        doc = node.body[0]
        rest = node.body[1]
        first = min([rest.lineno] + [d.lineno for d in getattr(rest, "decorator_list", [])])
        if calls and doc.lineno > node.lineno and doc.end_lineno < first:
            kept = lines[node.lineno - 1 : doc.lineno - 1] + lines[doc.end_lineno : node.end_lineno]
            yield node.name, "\n".join(kept) + "\n", calls


def load(path):
    name = path[:-3].replace("/", ".")
    if name.endswith(".__init__"):
        name = name[: -len(".__init__")]
    return importlib.import_module(name)


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b))
    return type(a) is type(b) and a == b


def show(path):
    with tokenize.open(path) as f:
        source = f.read()
    found = list(functions(ast.parse(source), source))
    if not found:
        return []
    module = load(path)
    out = []
    for name, text, calls in found:
        kept = []
        for call in calls:
            values = []
            for _ in range(2):  # what differs from itself shows nothing
                try:
                    values.append(plain(eval(call, dict(vars(module)))))
                except BaseException:
                    values.append(None)
            if values[0] is not None and values[0] == values[1] and len(kept) < MOST:
                kept.append([call, values[0]])
        if kept:
            out.append({"path": path, "name": name, "source": text, "calls": kept})
    return out


def failing(module, question):
    """The first call that a damaged function gets wrong, and how; which lines ran."""

    def work(_):
        names = dict(vars(module))
        exec(compile(question["source"], "<damaged>", "exec"), names)
        passed, ran = 0, []
        for i, (call, want) in enumerate(question["calls"]):
            lines = set()

            def trace(frame, event, _):
                if frame.f_code.co_filename != "<damaged>":
                    return None
                lines.add(frame.f_lineno)
                return trace

            got = error = None
            sys.settrace(trace)
            try:
                got = eval(call, names)
            except Exception as e:
                error = e
            finally:
                sys.settrace(None)
            expected = ast.literal_eval(want)
            if error is None and same(got, expected):
                passed += 1
                ran.append(sorted(lines))
                continue
            answer = {"call": i, "passed": passed, "ran": ran, "lines": sorted(lines)}
            if error is not None:
                last = 0
                tb = error.__traceback__
                while tb is not None:
                    if tb.tb_frame.f_code.co_filename == "<damaged>":
                        last = tb.tb_lineno
                    tb = tb.tb_next
                answer.update(kind=type(error).__name__, message=str(error)[:LONGEST], raised=last)
            else:
                answer.update(kind="AssertionError", got=repr(got)[:LONGEST])
            return answer
        return {"call": -1}

    return child(work, SECONDS)


def main():
    what, folder = sys.argv[1:3]
    os.chdir(folder)
    sys.path[:0] = [folder]
    sys.dont_write_bytecode = True
    sys.setrecursionlimit(600)
    out = os.fdopen(os.dup(1), "w")
    silent = os.open(os.devnull, os.O_RDWR)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    lines = [json.loads(line) for line in io.TextIOWrapper(os.fdopen(os.dup(0), "rb"), encoding="utf-8")]
    os.dup2(silent, 0)
    if what == "show":
        for path in lines:
            for one in child(lambda _: show(path), MODULE_SECONDS) or []:
                if isinstance(one, dict):
                    out.write(json.dumps(one) + "\n")
        out.flush()
        return
    by_path = {}
    for q in lines:
        by_path.setdefault(q["path"], []).append((q["n"], q))
    for path, some in by_path.items():

        def work(w, path=path, some=some):
            module = load(path)
            with os.fdopen(w, "w") as pipe:
                for n, q in some:
                    pipe.write(json.dumps([n, failing(module, q)]) + "\n")
                    pipe.flush()
            os._exit(0)

        for n, answer in stream(work):
            if answer is not None:
                out.write(json.dumps({"n": n, "answer": answer}) + "\n")
        out.flush()


def stream(work):
    """Runs work in a process of its own and gives the JSON lines that it writes."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        try:
            work(w)
        finally:
            os._exit(0)
    os.close(w)
    with os.fdopen(r) as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                pass
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
