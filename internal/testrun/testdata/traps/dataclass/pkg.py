from dataclasses import dataclass, field

@dataclass(order=True)
class Point:
    x: int = 1
    y: int = 2
    tags: list = field(default_factory=list, compare=False)

    def __post_init__(self):
        self.sum = self.x + self.y

    def far(self):
        return self.sum > 10

@dataclass(frozen=True)
class Key:
    name: str
