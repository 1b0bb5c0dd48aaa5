def first():
    return 1  # one

def second():
    return 2

def third():
    return 3
