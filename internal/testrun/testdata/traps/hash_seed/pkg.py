ORDER = list({"a", "b", "c", "d", "e"})

def bucket(s):
    return hash(s) % 1000

def plain(n):
    return n
