import os

def leave(folder):
    name = os.path.join(folder, "pkg-was-here")
    with open(name, "x") as f:
        f.write("x")
    return name

def unused():
    return 1
