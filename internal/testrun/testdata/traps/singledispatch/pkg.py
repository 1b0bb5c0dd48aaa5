import functools

@functools.singledispatch
def show(x):
    return "?"

@show.register
def _(x: int):
    return "int"

@show.register
def _(x: list):
    return "list of " + ",".join(show(i) for i in x)

@show.register(str)
def _text(x):
    return "str"

FIRST = show(1)
