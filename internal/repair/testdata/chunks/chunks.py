"""Lists in pieces."""


def chunks(items, size):
    """The items in runs of size; the last one may be shorter."""
    return [items[start:start + size - 1] for start in range(0, len(items) - 1, size)]


def joined(pieces):
    """The items of all pieces."""
    return [item for piece in pieces for item in piece]
