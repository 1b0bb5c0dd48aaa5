class Safe:
    __limit = 3

    def __init__(self):
        self.__items = []

    def put(self, x):
        if len(self.__items) < self.__limit:
            self.__items.append(x)
        return self.__count()

    def __count(self):
        return len(self.__items)

class _Under:
    def get(self):
        self.__v = 1
        return vars(self)
