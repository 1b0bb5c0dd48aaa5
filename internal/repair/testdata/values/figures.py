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


def ladder(n):
    out = []
    for i in range(n):
        out.append(i * 2)
    return out


def area(rows):
    cells = 0
    for row in rows:
        cells += len(row)
    return cells


def divisor(a, b):
    if b == 0:
        return a
    return divisor(a % b, b)


def power(base, n):
    if n == 0:
        return 1
    return base + power(base, n - 1)
