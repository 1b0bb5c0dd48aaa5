import functools

CALLS = []

def logged(f):
    @functools.wraps(f)
    def wrapper(*args):
        CALLS.append(f.__name__)
        return f(*args)
    return wrapper

@logged
def half(n):
    return n / 2

@logged
@logged
def third(n):
    return n / 3
