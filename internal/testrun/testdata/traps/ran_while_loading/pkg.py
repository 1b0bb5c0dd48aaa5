def scale(by, label=None):
    if label is None:
        label = "plain"
    else:
        label = label.upper()

    def decorate(f):
        def scaled(x):
            if x is None:
                return label
            return f(x) * by
        return scaled
    return decorate


@scale(2)
def double(x):
    return x


class Count:
    def __init__(self, start=0):
        self.n = start
        if start < 0:
            raise ValueError(start)
        self.log = []

    def add(self):
        self.n += 1


ONE = Count(1)
