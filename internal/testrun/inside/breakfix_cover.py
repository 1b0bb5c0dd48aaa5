"""What each test runs, in a child of its own. PYTEST_DONT_REWRITE

Lines come from coverage.py's C tracer: its default core for Python 3.14 records
of each line only the first test that ran it.
"""

import builtins
import importlib
import os
import sys

from breakfix_channel import send

_ROOT = "/work/"
_STARTS = ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.system", "os.fork", "os.forkpty", "os.startfile")
# Programs that tell something of the machine and run nothing of the tree;
# platform.uname() starts one.
_TELLERS = {"uname", "hostname", "arch", "nproc", "getconf", "id", "whoami", "tty", "stty"}
_SYSTEM = ("", "/bin", "/usr/bin", "/sbin", "/usr/sbin")
_SIGNALS = ("os.kill", "os.killpg", "signal.pthread_kill")
_READERS = ("importlib", "_pytest", "pluggy", "breakfix")


def _inside(path):
    return isinstance(path, str) and path.startswith(_ROOT)


def _file_of(module):
    path = getattr(module, "__file__", None)
    return path[len(_ROOT):] if _inside(path) else None


def _tells(event, args):
    """Whether what is started cannot depend on code of the tree."""
    if event == "subprocess.Popen":
        program, argv, env = args[0], args[1], args[3]
    elif event == "os.posix_spawn":
        program, argv, env = args
    else:
        return False
    env = os.environ if env is None else env
    words = [os.fsdecode(w) for w in (program, *argv)]
    folder, name = os.path.split(words[0])
    return (name in _TELLERS and folder in _SYSTEM and not any(_ROOT in w for w in words)
            and not any(_inside(p + "/") for p in str(env.get("PATH", _ROOT)).split(":")) and "LD_PRELOAD" not in env)


class Cover:
    def __init__(self, folder):
        sys.path.insert(0, folder)
        os.environ["COVERAGE_CORE"] = "ctrace"
        try:
            import coverage
        finally:
            sys.path.remove(folder)
            os.environ.pop("COVERAGE_CORE", None)
        self.cov = coverage.Coverage(data_file=None, config_file=False, branch=False, include=[_ROOT + "*"], messages=False)
        self.cov.config.disable_warnings = ["no-data-collected", "already-imported", "module-not-measured"]
        self.edges = {}  # file of the tree -> files of the tree that it imports
        self.traits = set()
        self.reads = set()
        self.imports = set()
        self.in_test = False
        self._watch_imports()
        self._watch_spawns()
        sys.addaudithook(self._audit)
        self.cov.start()

    def _watch_imports(self):
        real, by_name, me = builtins.__import__, importlib.import_module, self

        def note(importer, module, names=()):
            targets = [_file_of(module)]
            own = getattr(module, "__name__", "")
            while "." in own:  # importing a module runs its packages
                own = own.rpartition(".")[0]
                targets.append(_file_of(sys.modules.get(own)))
            for n in names or ():
                targets.append(_file_of(sys.modules.get("%s.%s" % (getattr(module, "__name__", ""), n))))
            targets = {t for t in targets if t}
            if targets:
                me.edges.setdefault(importer or "", set()).update(targets)
                if me.in_test:
                    me.imports.update(targets)

        def watched(name, globals=None, locals=None, fromlist=(), level=0):
            module = real(name, globals, locals, fromlist, level)
            try:
                path = (globals or {}).get("__file__")
                importer = path[len(_ROOT):] if _inside(path) else None
                note(importer, module, fromlist)
                if not fromlist and level == 0 and "." in name:
                    note(importer, sys.modules.get(name))
            except Exception:
                pass
            return module

        def watched_by_name(name, package=None):
            module = by_name(name, package)
            try:
                path = sys._getframe(1).f_globals.get("__file__")
                note(path[len(_ROOT):] if _inside(path) else None, module)
            except Exception:
                pass
            return module

        builtins.__import__, importlib.import_module = watched, watched_by_name

    def _watch_spawns(self):
        """What multiprocessing starts raises no audit event."""
        try:
            import _posixsubprocess
        except ImportError:
            return
        real, me = _posixsubprocess.fork_exec, self

        def fork_exec(*args):
            me.traits.add("spawns")
            return real(*args)

        _posixsubprocess.fork_exec = fork_exec

    def _audit(self, event, args):
        if event in _STARTS:
            try:
                known = _tells(event, args)
            except Exception:
                known = False
            if not known:
                self.traits.add("spawns")
        elif event in _SIGNALS:
            self.traits.add("signals")
        elif event in ("socket.connect", "socket.bind", "socket.getaddrinfo"):
            self.traits.add("sockets")
        elif event == "open" and args and _inside(args[0]) and args[0].endswith(".py"):
            frame = sys._getframe(1)
            while frame is not None and frame.f_globals.get("__name__", "").startswith(("pathlib", "io", "codecs")):
                frame = frame.f_back
            name = frame.f_globals.get("__name__", "") if frame is not None else ""
            if not name.startswith(_READERS) and not (frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")):
                self.reads.add(args[0][len(_ROOT):])

    def _data(self):
        return self.cov._collector.data

    def _take(self):
        out = {}
        for name, lines in list(self._data().items()):
            if name.startswith(_ROOT) and lines:
                out[name[len(_ROOT):]] = sorted(x for x in lines if isinstance(x, int) and x > 0)
        return out

    def _clear(self):
        # The sets stay the ones that the tracer holds.
        for lines in list(self._data().values()):
            lines.clear()
        self.traits.clear()
        self.reads.clear()
        self.imports.clear()

    def loading(self):
        """What ran until now: while the suite was loaded."""
        return {"lines": self._take(), "edges": {k: sorted(v) for k, v in self.edges.items()}, "reads": sorted(self.reads),
                "spawns": "spawns" in self.traits, "sockets": "sockets" in self.traits}

    def tell_loading(self):
        """The same in messages, for a process that serves nobody."""
        told = self.loading()
        for f, lines in told["lines"].items():
            send("covered", id="", covered={f: lines})
        for f, targets in told["edges"].items():
            send("edges", edges={f: targets})
        send("traits", id="", traits=[t for t in ("spawns", "sockets") if told[t]], reads=told["reads"], imports=[])

    def begin(self):
        self._clear()
        self.in_test = True

    def end(self, test):
        self.in_test = False
        traits, reads, imports = sorted(self.traits), sorted(self.reads), sorted(self.imports)
        lines = self._take()
        files = sorted(lines)
        for i in range(0, len(files), 50):  # bounded lines
            send("covered", id=test, covered={f: lines[f] for f in files[i:i + 50]})
        send("traits", id=test, traits=traits, reads=reads, imports=imports)
