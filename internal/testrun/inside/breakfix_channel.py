"""The channel to the host: one JSON line a message. PYTEST_DONT_REWRITE

The host made the descriptor and a nonce; every line carries the nonce. A fresh
process has them as descriptors 3 and 4 (read once), a child of a warm process
is handed them. Functions that this file needs are taken once, at import,
before any code of the target ran, and kept in a closure, so that tests that
patch `os.write` or freeze the clock do not change the report.
"""

import os


def _channel():
    import fcntl
    import re
    from time import perf_counter as clock

    try:
        from _json import encode_basestring_ascii as quote
    except ImportError:  # another implementation than CPython
        from json.encoder import py_encode_basestring_ascii as quote

    write, getpid, leave = os.write, os.getpid, os._exit
    dup, cloexec, close = fcntl.fcntl, fcntl.F_DUPFD_CLOEXEC, os.close
    at = []  # descriptor, head of every line, process; empty before attach
    held = []  # lines that go with the next one

    def attach(fd, nonce):
        """Takes a descriptor; None keeps the one that there is, for a forked child."""
        if fd is not None:
            # A high number, so that code which closes or reuses low descriptors
            # does not hit it; not inherited by programs that tests start.
            high = dup(fd, cloexec, 200)
            close(fd)
        else:
            high = at[0]
        at[:] = [high, '{"n":' + quote(nonce) + ',"k":', getpid()]

    def attach_inherited():
        with os.fdopen(4, "rb") as f:
            nonce = f.read().decode("ascii").strip()
        attach(3, nonce)

    def encode(v):
        if v is None:
            return "null"
        if v is True:
            return "true"
        if v is False:
            return "false"
        if isinstance(v, str):
            return quote(v)
        if isinstance(v, int):
            return int.__repr__(v)
        if isinstance(v, float):
            return "%.6f" % v
        if isinstance(v, (list, tuple)):
            return "[" + ",".join([encode(x) for x in v]) + "]"
        return "{" + ",".join([quote(k) + ":" + encode(x) for k, x in v.items()]) + "}"

    def send(kind, **fields):
        """Writes one line; forked children stay silent, as does a process that
        was handed no descriptor."""
        if not at or getpid() != at[2]:
            return
        line = "".join(held) + line_of(kind, fields)
        held.clear()
        data = memoryview(line.encode("ascii", "backslashreplace"))
        while data:
            data = data[write(at[0], data):]

    def hold(kind, **fields):
        """Has a line written with the next one, which follows at once: each write
        wakes the host."""
        if at and getpid() == at[2]:
            held.append(line_of(kind, fields))

    def line_of(kind, fields):
        # The newline in front ends whatever else was written there: half a line
        # must not swallow an honest one.
        line = "\n" + at[1] + quote(kind)
        for k, v in fields.items():
            line += "," + quote(k) + ":" + encode(v)
        return line + "}\n"

    def done(**fields):
        """The completion mark; nothing that the process does later matters."""
        if at and getpid() == at[2]:
            send("done", **fields)
            leave(0)

    def is_main():
        return bool(at) and getpid() == at[2]

    # An address, whole, or what is left of it where a long text was cut.
    address = re.compile(r"0x[0-9a-fA-F]{4,}|0x[0-9a-fA-F]*(?=\.\.\.)|(?<=\.\.\.)(?:0?x)?[0-9a-fA-F]{4,}(?=>)")
    return send, hold, done, clock, address.sub, is_main, attach, attach_inherited


send, hold, done, clock, substitute, is_main, attach, attach_inherited = _channel()
