def flip(s):
    return s[::-1]
