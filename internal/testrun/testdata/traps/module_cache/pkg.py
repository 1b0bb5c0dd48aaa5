_cache = {}

def square(n):
    if n not in _cache:
        _cache[n] = compute(n)
    return _cache[n]

def compute(n):
    return n * n

def unused(n):
    return n + 1
