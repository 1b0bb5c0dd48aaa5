def f():
    return "first"

first = f

def f():
    return "second"

class A:
    def get(self):
        def f():
            return "A"
        return f()

class B:
    def get(self):
        def f():
            return "B"
        return f()
