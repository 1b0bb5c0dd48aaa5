from space.one.first import value

def more():
    return value() + 1
