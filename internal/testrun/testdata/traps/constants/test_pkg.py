from pkg.config import LIMIT
from pkg.use import TWICE, cut, name

def test_limit():
    assert LIMIT == 3

def test_cut():
    assert cut("abcdef") == "abc"

def test_twice():
    assert TWICE == 6

def test_name():
    assert name(1) == "b"
