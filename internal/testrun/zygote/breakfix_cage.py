"""Forks one caged child for each request of the host. PYTEST_DONT_REWRITE

A warm process calls serve(). It returns in every child, never in the process
itself: in a new control group, pid, mount and ipc namespace, with an own /tmp and
/dev/shm, over an overlay of the tree that holds the changed files, without
capabilities and behind the filter of ordinary boxes.

The process that serves keeps three capabilities that it can raise; they mean
nothing outside of its user namespace and are not in force while code of the
target is imported.
"""

import ctypes
import os

NAMES = {"tree": "/work", "cage": "/cage", "filter": "/cage.bpf"}

_CLONE3 = 435  # the same number on every architecture
_NEWNS, _NEWIPC, _NEWPID, _NEWNET = 0x00020000, 0x08000000, 0x20000000, 0x40000000
_CHILD_SETTID, _CHILD_CLEARTID, _INTO_CGROUP = 0x01000000, 0x00200000, 0x200000000
_SIGCHLD = 17
_NOSUID, _NODEV, _BIND = 2, 4, 4096
_DAC_OVERRIDE, _NET_ADMIN, _SYS_ADMIN = 1, 12, 21
_PR_GET_TID_ADDRESS, _PR_CAP_AMBIENT, _PR_SET_SECCOMP, _PR_CAPBSET_DROP = 40, 47, 22, 24


class Unfit(Exception):
    """This process cannot be forked faithfully."""


class _Caps:
    """capset(2) with all that it needs made once."""

    def __init__(self, libc):
        self.libc = libc
        self.header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        mask = 1 << _DAC_OVERRIDE | 1 << _NET_ADMIN | 1 << _SYS_ADMIN
        # effective, permitted, inheritable; twice, for capabilities above 31
        self.raised = (ctypes.c_uint32 * 6)(mask, mask, 0, 0, 0, 0)
        self.lowered = (ctypes.c_uint32 * 6)(0, mask, 0, 0, 0, 0)
        self.none = (ctypes.c_uint32 * 6)(0, 0, 0, 0, 0, 0)

    def set(self, data):
        if self.libc.capset(self.header, data) != 0:
            raise OSError(ctypes.get_errno(), "capset")


def _server():
    import base64
    import fcntl
    import gc
    import json
    import os
    import select
    import signal
    import socket
    import stat
    import struct
    import threading
    import types
    from time import perf_counter

    # As they are before any code of the target runs, which may patch them.
    os, select, signal = [types.SimpleNamespace(**vars(m)) for m in (os, select, signal)]

    libc = ctypes.PyDLL(None, use_errno=True)  # never lets go of the interpreter's lock
    api = ctypes.pythonapi
    caps = _Caps(libc)
    # Bounds what a started program may gain, here and in every child; what is
    # held already stays.
    for cap in range(64):
        if libc.prctl(_PR_CAPBSET_DROP, cap, 0, 0, 0) != 0:
            break  # there are no more
    caps.set(caps.lowered)
    libc.prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)  # programs that are started have none
    control = socket.socket(fileno=fcntl.fcntl(3, fcntl.F_DUPFD_CLOEXEC, 210))
    os.close(3)
    me, signals = os.getpid(), signal.valid_signals()
    tid_at = ctypes.c_void_p()
    # The C library keeps the thread's number; a child has another one.
    if libc.prctl(_PR_GET_TID_ADDRESS, ctypes.byref(tid_at), 0, 0, 0) != 0:
        tid_at.value = None
    with open(NAMES["filter"], "rb") as f:
        rules = ctypes.create_string_buffer(f.read())

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    program = Program((len(rules) - 1) // 8, ctypes.cast(rules, ctypes.c_void_p))
    tree, cage = NAMES["tree"].encode(), NAMES["cage"].encode()
    args = (ctypes.c_uint64 * 11)()
    streams, scratch, filled = [], ((b"/tmp", b"tmp"), (b"/dev/shm", b"shm")), set()
    fork_hooks = (api.PyOS_BeforeFork, api.PyOS_AfterFork_Parent, api.PyOS_AfterFork_Child)
    for h in fork_hooks:
        h.restype = None
    libc.syscall.restype = ctypes.c_long

    def read(n):
        data = b""
        while len(data) < n:
            more = control.recv(n - len(data))
            if not more:
                os._exit(0)  # the host is gone
            data += more
        return data

    def receive():
        head, fds, _, _ = socket.recv_fds(control, 4, 4, socket.MSG_CMSG_CLOEXEC)
        if not head:
            os._exit(0)
        head += read(4 - len(head)) if len(head) < 4 else b""
        return json.loads(read(struct.unpack(">I", head)[0])), fds

    def send(message):
        data = json.dumps(message).encode()
        control.sendall(struct.pack(">I", len(data)) + data)

    def mount(source, target, kind, flags, data):
        if libc.mount(source, target, kind, ctypes.c_ulong(flags), data) != 0:
            e = ctypes.get_errno()
            raise OSError(e, "mount %s: %s" % (target.decode(), os.strerror(e)))

    def clone(flags, group):
        args[0] = flags | _CHILD_SETTID | _CHILD_CLEARTID | (_INTO_CGROUP if group is not None else 0)
        args[2] = tid_at.value
        args[4] = _SIGCHLD
        args[10] = group if group is not None else 0
        fork_hooks[0]()
        pid = libc.syscall(_CLONE3, args, ctypes.c_size_t(88))
        if pid == 0:
            fork_hooks[2]()
        else:
            fork_hooks[1]()
            if pid < 0:
                e = ctypes.get_errno()
                raise OSError(e, "clone3: " + os.strerror(e))
        return pid

    def write_changes(changes):
        """Fills what lies over the tree. No path leads out of it: the host has
        seen to it that no changed file lies below another."""
        up, made = cage + b"/up/", set()

        def folder_of(path):
            folder = path.rpartition(b"/")[0]
            if folder and folder not in made:
                made.add(folder)
                folder_of(folder)
                os.mkdir(up + folder, 0o755)

        for path, f in changes.items():
            if f is None:
                continue
            path = path.encode()
            folder_of(path)
            data = base64.b64decode(f["d"])
            if f["k"] == "l":
                os.symlink(data, up + path)
                continue
            fd = os.open(up + path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755 if f["k"] == "x" else 0o644)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view):]
            finally:
                os.close(fd)
        for path, f in changes.items():
            if f is None and not hidden(changes, path):
                path = path.encode()
                folder_of(path)
                try:
                    os.mknod(up + path, stat.S_IFCHR, 0)  # overlay's mark of a removed file
                except FileExistsError:
                    pass  # a folder is in its place now

    def hidden(changes, path):
        """Is there a changed file in the place of a folder above path?"""
        at = path.find("/")
        while at > 0:
            if changes.get(path[:at]) is not None:
                return True
            at = path.find("/", at + 1)
        return False

    def loopback():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            up = struct.pack("16sh22x", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
            fcntl.ioctl(s.fileno(), 0x8914, up)  # SIOCSIFFLAGS

    def enter(req):
        """Turns the child into what the request asks for."""
        # A signal to the process group that it was born in would reach this
        # process's parent, which its namespace does not show.
        os.setsid()
        for fd, flags in streams:
            fcntl.fcntl(fd, fcntl.F_SETFL, flags)  # shared with all children before
        old = os.umask(0)
        mount(b"cage", cage, b"tmpfs", _NOSUID | _NODEV, b"mode=0755,nr_inodes=%d,size=%d" % (req["inodes"], req["scratch"]))
        for name, mode in (("up", 0o755), ("wk", 0o755), ("tmp", 0o1777), ("wk-tmp", 0o755), ("shm", 0o1777), ("wk-shm", 0o755)):
            os.mkdir(NAMES["cage"] + "/" + name, mode)
        if b"/tmp" not in filled:
            os.mkdir(NAMES["cage"] + "/tmp/home", 0o700)
        os.umask(0o022)
        write_changes(req["changes"])
        mount(b"cage", tree, b"overlay", _NOSUID | _NODEV, b"lowerdir=%s,upperdir=%s/up,workdir=%s/wk,userxattr" % (tree, cage, cage))
        # The numbers in /proc are those of the box. At 1 there is the warm process,
        # and that is what a child's own number leads to.
        mount(b"/proc/" + os.readlink(b"/proc/self"), b"/proc/1", None, _BIND, None)
        for place, own in scratch:
            if place in filled:
                mount(b"cage", place, b"overlay", _NOSUID | _NODEV, b"lowerdir=%s,upperdir=%s/%s,workdir=%s/wk-%s,userxattr" % (place, cage, own, cage, own))
            else:
                mount(cage + b"/" + own, place, None, _BIND, None)
        os.umask(old)
        os.chdir(NAMES["tree"])
        if req["network"]:
            loopback()
        caps.set(caps.none)
        if program.len and libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "seccomp")

    def own_init():
        """Becomes the second process of the namespace. The first one has no
        default actions of signals, runs no handlers and gets all orphans."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        pid = os.fork()
        if pid == 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            return
        try:
            while True:
                got, status = os.wait()
                if got == pid:
                    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
        finally:
            os._exit(125)

    def check():
        if threading.active_count() > 1 or len(os.listdir("/proc/self/task")) > 1:
            raise Unfit("it has threads")
        if tid_at.value is None:
            raise Unfit("this kernel does not tell where the C library keeps the thread's number")
        if os.getpid() != me:
            raise Unfit("it forked")
        if signal.getsignal(signal.SIGCHLD) is not signal.SIG_DFL:
            raise Unfit("it handles the end of child processes itself")
        if any(alive(p) for p in os.listdir("/proc") if p.isdigit() and int(p) != me):
            # Outside of every cage and not protected from what is in one.
            raise Unfit("it has child processes")

    def alive(pid):
        try:
            with open("/proc/%s/stat" % pid, "rb") as f:
                return f.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
        except OSError:
            return False

    def serve(ready, before=None):
        """Tells the host ready, then returns the body of a request in a child of
        its own for each. before sees each request first, in the process itself,
        and returns why it cannot be met, if so."""
        gc.collect()
        # Every child starts with the same youngest generation; what a child
        # makes is collected as in any process.
        enabled = gc.isenabled()
        gc.disable()
        try:
            check()
        except Unfit as e:
            send({"unfit": str(e)})
            os._exit(0)
        for fd in (0, 1, 2):
            try:
                streams.append((fd, fcntl.fcntl(fd, fcntl.F_GETFL)))
            except OSError:
                pass  # closed
        # What loading wrote there (a temporary folder of a module) is the first
        # state of every child, as in a fresh process.
        for place, _ in scratch:
            if os.listdir(place) not in ([], [b"home"]) or place == b"/tmp" and os.listdir("/tmp/home"):
                filled.add(place)
        send({"ready": ready})
        with open("/proc/self/oom_score_adj", "rb") as f:
            mine = f.read()
        score = None

        def prefer(value):
            """Whom the kernel takes when memory runs out: a child goes first."""
            if score is not None:
                try:
                    os.write(score, value)
                except OSError:
                    pass  # then it may be this process: the host sees it

        while True:
            req, fds = receive()
            if "score" in req:
                score = fds[0]
                continue
            if "kill" in req:
                continue  # the child that it meant has ended
            group = fds[1] if len(fds) > 1 else None
            try:
                if before is not None:
                    refused = before(req)
                    if refused:
                        for fd in fds:
                            os.close(fd)
                        send({"refused": refused})
                        continue
                prefer(b"1000")
                # What was made since the last child is new: each child would go
                # through all of it when its first collection comes.
                gc.collect(1)
                caps.set(caps.raised)
                pid = clone(_NEWNS | _NEWIPC | _NEWPID | (_NEWNET if req["network"] else 0), group)
            except Exception as e:
                prefer(mine)
                caps.set(caps.lowered)
                for fd in fds:
                    os.close(fd)
                send({"fault": "%s: %s" % (type(e).__name__, e)})
                continue
            if pid == 0:
                control.close()
                for fd in (group, score):
                    if fd is not None:
                        os.close(fd)
                return child(req, fds[0], enabled)
            prefer(mine)
            caps.set(caps.lowered)
            for fd in fds:
                os.close(fd)
            wait(pid, req["number"])

    def child(req, report, enabled):
        import breakfix_channel

        breakfix_channel.attach(report, req["nonce"])
        try:
            enter(req)
            if req["init"]:
                own_init()
                breakfix_channel.attach(None, req["nonce"])
            threading.main_thread()._set_native_id()
        except Exception as e:
            breakfix_channel.send("fault", reason="%s: %s" % (type(e).__name__, e))
            os._exit(125)
        if enabled:
            gc.enable()
        return req["body"]

    def wait(pid, number):
        began = perf_counter()
        fd = os.pidfd_open(pid)
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.register(control, select.POLLIN)
        while True:
            ready = [n for n, _ in poll.poll()]
            if fd in ready:
                break
            req, more = receive()
            for f in more:
                os.close(f)
            if req.get("kill") == number:
                os.kill(pid, 9)  # the first of its namespace takes all others along
        os.close(fd)
        _, status, used = os.wait4(pid, 0)
        send({"exit": status, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024, "wall": perf_counter() - began})

    return serve


serve = _server()
