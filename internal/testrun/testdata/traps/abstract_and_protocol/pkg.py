import abc

class Shape(abc.ABC):
    __slots__ = ("n",)

    @abc.abstractmethod
    def area(self):
        return 0

    @classmethod
    def __subclasshook__(cls, other):
        return True if hasattr(other, "area") else NotImplemented

class Square(Shape):
    __slots__ = ()

    def __init__(self, n):
        self.n = n

    def area(self):
        return self.n ** 2 + super().area()

FIRST = issubclass(Square, Shape)
