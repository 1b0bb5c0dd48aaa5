import os
import sys

def in_child(n):
    pid = os.fork()
    if pid == 0:
        os._exit(status(n))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def status(n):
    return n + 1

def leave():
    pid = os.fork()
    if pid == 0:
        sys.exit(status(3))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def piped():
    r, w = os.pipe()
    if os.fork() == 0:
        os.write(w, b"x" * 3)
        os._exit(0)
    os.close(w)
    os.wait()
    with os.fdopen(r, "rb") as f:
        return f.read()
