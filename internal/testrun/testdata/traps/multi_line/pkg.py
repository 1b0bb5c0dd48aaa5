COUNT = 0

def words():
    return [
        "a",
        "b",
    ]

def text(n):
    return f"""
    n is
    {n} and so on
    """

def both(a, b):
    return dict(
        left=a,
        right=b,
    )

def bump():
    global COUNT
    COUNT = COUNT + 1
    return COUNT

def pick(n):
    """Picks
    one."""
    if n:
        return "yes"
    else:
        return "no"
