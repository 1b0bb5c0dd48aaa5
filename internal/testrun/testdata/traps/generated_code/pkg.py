from collections import namedtuple

TEMPLATE = """
def {name}(self, {args}):
    return ({args}) * {times}
"""

def make(name, args, times):
    scope = {}
    text = TEMPLATE.format(name=name, args=", ".join(args), times=times)
    exec(compile(text, "<made %s>" % name, "exec"), scope)
    return scope[name]

class Made:
    pair = make("pair", ["a", "b"], 2)

Row = namedtuple("Row", "x y")

def calc(text):
    return eval(text, {"row": Row(1, 2)})
