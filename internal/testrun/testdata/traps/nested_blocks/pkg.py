def pick(a, b):
    if a:
        x = 1
    else:
        x = 2
        if b:
            x = 3
    return x

def first(items):
    for item in items:
        if item:
            found = item
            break
    else:
        found = None
    return found
