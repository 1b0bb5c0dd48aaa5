REGISTRY = {}

def plain(f):
    def inner(x):
        return f(x) + 1
    return inner

def register(f):
    REGISTRY[f.__name__] = f

class Wrap:
    def __init__(self, f):
        self.f = f

    def __call__(self, x):
        return self.f(x)

@plain
def hidden(x):
    return x * 2

@register
def gone(x):
    return x * 3

@Wrap
def inside(x):
    return x * 4
