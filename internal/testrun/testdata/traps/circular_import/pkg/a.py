import pkg.b

def ping(n):
    return "a" if n == 0 else pkg.b.pong(n - 1)
