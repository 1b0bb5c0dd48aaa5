import enum

def mask(n):
    return 1 << n

class Color(enum.Enum):
    RED = mask(0)
    BLUE = mask(2)

    @classmethod
    def _missing_(cls, value):
        return cls.RED if value == "r" else None

    def label(self):
        return self.name.lower()

LABELS = {c: c.value for c in Color}
