SEEN = []

def sizes():
    return [1, 2]

def rank(name):
    return name

def seen():
    return list(SEEN)
