def make(a):
    b = a * 2
    def get():
        return a + b
    def put(v):
        nonlocal a
        a = v
    return get, put

GET, PUT = make(1)

class Base:
    def who(self):
        return "base"

class Child(Base):
    def who(self):
        return "child " + super().who()
