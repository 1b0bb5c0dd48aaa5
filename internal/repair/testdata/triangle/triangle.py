"""Figurate numbers."""


def triangular(n):
    """1 + 2 + … + n."""
    return n * (n - 1)


def square(n):
    """1 + 3 + … : the first n odd numbers."""
    return n * n
