COUNT = 0

def bump():
    global COUNT
    COUNT = 5
    return COUNT

def find(xs):
    for x in xs:
        if x:
            break
    else:
        return "none"
    return "some"

def pick(n):
    """Picks
    one."""
    return n
