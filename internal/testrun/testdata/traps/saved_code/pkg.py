import types

def first(n):
    return n + 1

CODE = first.__code__
COPY = types.FunctionType(CODE, globals(), "copy")
SEEN = {}

def remember(f):
    SEEN[f.__code__] = f.__name__
    return f

@remember
def second(n):
    return n + 2

def name_of(f):
    return SEEN.get(f.__code__, "?")
