def first(items):
    return items[0]


def last(items):
    return items[-1]


def total(items):
    result = 0
    for item in items:
        result += item
    return result


def largest(items):
    best = items[0]
    for item in items:
        if item > best:
            best = item
    return best


def count_over(items, limit):
    n = 0
    for item in items:
        if item > limit:
            n += 1
    return n


def reverse(items):
    return items[::-1]


def positives(items):
    return [item for item in items if item > 0]


def index_of(items, wanted):
    for i, item in enumerate(items):
        if item == wanted:
            return i
    return -1


def unique(items):
    seen = []
    for item in items:
        if item not in seen:
            seen.append(item)
    return seen


def pairs(a, b):
    return list(zip(a, b))
