import os

HOME = os.environ.get("HOME")
os.environ.setdefault("PKG_MODE", "plain")

def mode():
    return os.environ["PKG_MODE"]

def switch(to):
    os.environ["PKG_MODE"] = to
