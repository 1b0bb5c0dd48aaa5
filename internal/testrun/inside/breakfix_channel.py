"""The channel to the host: descriptor 3, one JSON line a message. PYTEST_DONT_REWRITE

The host made the descriptor and a nonce (read once from descriptor 4); every
line carries the nonce. Functions that this file needs are taken once, at
import, before any code of the target ran, and kept in a closure, so that tests
that patch `os.write` or freeze the clock do not change the report.
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
    main = getpid()
    with os.fdopen(4, "rb") as f:
        nonce = f.read().decode("ascii").strip()
    # A high number, so that code which closes or reuses low descriptors does
    # not hit it; not inherited by programs that tests start.
    fd = fcntl.fcntl(3, fcntl.F_DUPFD_CLOEXEC, 200)
    os.close(3)

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

    head = '{"n":' + quote(nonce) + ',"k":'

    def send(kind, **fields):
        """Writes one line; forked children stay silent."""
        if getpid() != main:
            return
        line = head + quote(kind)
        for k, v in fields.items():
            line += "," + quote(k) + ":" + encode(v)
        data = memoryview((line + "}\n").encode("ascii", "backslashreplace"))
        while data:
            data = data[write(fd, data):]

    def done(**fields):
        """The completion mark; nothing that the process does later matters."""
        if getpid() == main:
            send("done", **fields)
            leave(0)

    return send, done, clock, re.compile("0x[0-9a-fA-F]{4,}").sub, lambda: getpid() == main


send, done, clock, substitute, is_main = _channel()
