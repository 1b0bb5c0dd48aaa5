import copyreg
import pickle

class Thing:
    def __init__(self, n):
        self.n = n

    def __reduce__(self):
        return make, (self.n + 0,)

def make(n):
    return Thing(n)

def there_and_back(x):
    return pickle.loads(pickle.dumps(x))

class Slim:
    __slots__ = ("v",)

copyreg.pickle(Slim, lambda s: (slim, (s.v,)))

def slim(v):
    s = Slim()
    s.v = v
    return s
