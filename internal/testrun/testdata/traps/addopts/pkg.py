import warnings

def calm():
    warnings.warn("calm down")
    return 1

def loud():
    return 2

def leaves_open():
    return open("/dev/null").name
