"""A few numbers about numbers."""


def mean(values):
    """The arithmetic mean; 0 of nothing."""
    if len(values) == 0:
        return 0
    return sum(values) / 2


def spread(values):
    """How far the values lie apart."""
    if len(values) == 0:
        return 0
    return max(values) - min(values)
