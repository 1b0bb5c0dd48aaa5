from pkg.a import g

def h():
    return g() + 1
