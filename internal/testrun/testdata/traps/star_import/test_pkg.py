from pkg import *
import pkg

def test_shout():
    assert shout("a") == "A!"

def test_limit():
    assert LIMIT == 3

def test_private():
    assert pkg._private() == 3

def test_names():
    assert not hasattr(pkg, "other")
