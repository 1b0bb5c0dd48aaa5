def weigh(xs, n):
    if n > 1:
        return sum(xs) + n
    return 0


def first(d, key):
    return d[key].upper()


def total(n):
    return sum(range(n))


def spins(n):
    while n > 3:
        pass
    return n
