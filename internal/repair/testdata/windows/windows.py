"""Windows that slide over a sequence."""


def windows(items, size):
    """Every run of size neighbouring items, in order."""
    found = []
    for start in range(len(items) - size):
        found.append(items[start:start + size - 1])
    return found


def largest(items, size):
    """The largest sum of a window."""
    return max(sum(w) for w in windows(items, size))
