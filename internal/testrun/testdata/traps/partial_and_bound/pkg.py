import functools

def power(base, exp):
    return base ** exp

square = functools.partial(power, exp=2)

class Greeter:
    def __init__(self, name):
        self.name = name

    def hello(self):
        return "hello " + self.name

    def __eq__(self, other):
        return self.name == other.name

hello = Greeter("you").hello
METHODS = {"hello": Greeter.hello}

class Loud(Greeter):
    hello_again = Greeter.hello
