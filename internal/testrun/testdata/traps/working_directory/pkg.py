import os

HERE = os.getcwd()

def read():
    with open("data.txt") as f:
        return int(f.read())

def where():
    return os.path.basename(os.getcwd())

def up():
    os.chdir("/")
    return os.getcwd()
