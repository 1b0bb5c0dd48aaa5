class Box:
    def __init__(self, left, right):
        self.left, self.right = left, right


def pair(left, right):
    return Box(left, right)


def boxed(default):
    if default is None:
        make = lambda a, b: Box(
            a, b
        )
    else:
        make = lambda a, b: pair(
            a, default
        )
    early = lambda a: pair(
        a, a
    )

    def decorate(f):
        f.made = early(1)
        f.make = make
        return f
    return decorate


@boxed(None)
def one():
    return 1


@boxed(7)
def two():
    return 2
