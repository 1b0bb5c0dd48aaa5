def adder(n):
    def add(x):
        return x + n
    return add

plus1 = adder(1)
TABLE = {"two": adder(2)}

def never():
    return plus1
