OPS = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b}
KEY = lambda s: (len(s), s)

def order(words):
    return sorted(words, key=KEY)

def apply(name, a, b, post=lambda v: v):
    return post(OPS[name](a, b))

def make():
    return [lambda i=i: i * 2 for i in range(3)]
