def flip(s):
    return s[::-1]

def same(s):
    return s
