"""Sorted sequences."""


def merge(left, right):
    """The items of two sorted lists, sorted."""
    out = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            out.append(left[i])
            i += 1
        else:
            out.append(right[j])
            j += 1
    return out + left[i:] + right[:j]


def insert(items, item):
    """A sorted list with one item more."""
    return merge(items, [item])
