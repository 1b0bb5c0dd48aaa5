"""Labels of a fixed width."""


def label(name, width=8, fill=None):
    """name, filled up to width and never cut."""
    return name.ljust(max(len(name), len(name)), fill)


def ruler(width, mark="-"):
    """A line of marks."""
    return mark * width


def row(names, gap=" "):
    """Labels beside each other."""
    return gap.join(label(n, 4, ".") for n in names)
