def counter(start):
    n = start
    def up(by=1):
        nonlocal n
        n += by
        return n
    return up

def keeper(a, b):
    def both():
        return a, b
    return both
