from native._core import count

def twice():
    return count() + count()

def plain():
    return 1
