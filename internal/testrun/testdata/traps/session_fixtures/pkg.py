class Store:
    def __init__(self):
        self.items = self.start()

    def start(self):
        return ["seed"]

    def add(self, x):
        self.items.append(x)
        return len(self.items)

    def close(self):
        self.items = None
