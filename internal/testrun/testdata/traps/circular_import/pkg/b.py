def pong(n):
    return "b" if n == 0 else ping(n - 1)

def count():
    from pkg.a import ping
    return len(ping(5))

from pkg.a import *  # noqa
import pkg.a

def ping(n):
    return pkg.a.ping(n)
