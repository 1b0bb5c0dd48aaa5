import sys
import pytest
import pkg

def test_limit_is_the_default():
    assert sys.getrecursionlimit() == 1000

def test_deep():
    assert pkg.depth(700) == 700

def test_too_deep():
    with pytest.raises(RecursionError):
        pkg.depth(1000)

def test_zlimit():
    assert pkg.limit(3000) == 3000

def test_zstays():
    assert pkg.depth(1500) == 1500
