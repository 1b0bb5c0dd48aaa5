import functools

class Upper:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, obj, owner=None):
        return self if obj is None else getattr(obj, self.name).upper()

    def __set__(self, obj, value):
        setattr(obj, self.name, value)

class Thing:
    title = Upper()

    @property
    def size(self):
        return len(self._title)

    @size.setter
    def size(self, n):
        self._title = "x" * n

    @functools.cached_property
    def twice(self):
        return self.size * 2

    @classmethod
    def made(cls, text):
        it = cls()
        it.title = text
        return it

    @staticmethod
    def add(a, b):
        return a + b
