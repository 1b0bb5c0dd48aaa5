class Box:
    def __init__(self):
        self.seen = []

    def put(self, x):
        self.seen.append(x)
        self.last = x

    def size(self):
        return len(self.seen) + 0

LIMIT = 3

def full(box):
    return box.size() == LIMIT
