BASE = 10

def step(n, by=BASE // 5, *, times=1):
    return n + by * times

def collect(x, seen=[]):
    seen.append(x)
    return list(seen)

def late(n, f=lambda v: v * 2):
    return f(n)
