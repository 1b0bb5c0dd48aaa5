import warnings

def above(n):
    return n

def fails():
    raise ValueError("x")

def warns():
    warnings.warn("old", stacklevel=1)

LINE = fails.__code__.co_firstlineno
