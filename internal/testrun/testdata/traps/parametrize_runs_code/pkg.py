def cases():
    return [1, 2, 3]

def square(n):
    return n * n

def enabled():
    return True
