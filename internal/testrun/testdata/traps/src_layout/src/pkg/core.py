def add(a, b):
    return a + b

def unused():
    return 0
