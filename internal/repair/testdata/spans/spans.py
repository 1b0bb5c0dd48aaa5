"""Spans of whole numbers: (first, last), ends included."""


def length(span):
    """How many numbers a span holds."""
    return span[1] - span[0] + 1


def overlap(a, b):
    """Whether two spans share a number."""
    return a[0] <= b[1] or b[0] < a[1]


def inside(number, span):
    """Whether a span holds a number."""
    return span[0] <= number <= span[1]
