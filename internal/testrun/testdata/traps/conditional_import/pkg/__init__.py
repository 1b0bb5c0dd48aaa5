import sys

try:
    from pkg.fast import work
except ImportError:
    from pkg.slow import work

if sys.version_info >= (3, 0):
    def text(b):
        return b.decode()
else:
    def text(b):
        return str(b)

def lazily():
    from pkg import extra
    return extra.VALUE
