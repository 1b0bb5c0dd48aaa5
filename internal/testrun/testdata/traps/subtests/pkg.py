def even(n):
    return n % 2 == 0

def sign(n):
    return -1 if n < 0 else 1
