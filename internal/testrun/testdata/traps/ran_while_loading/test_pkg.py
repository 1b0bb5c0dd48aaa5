import pytest

import pkg

def test_double():
    assert pkg.double(4) == 8

def test_label():
    assert pkg.double(None) == "plain"

def test_upper():
    assert pkg.scale(1, "a")(abs)(None) == "A"

def test_one():
    assert pkg.ONE.n == 1

def test_below_zero():
    with pytest.raises(ValueError):
        pkg.Count(-1)

def test_log():
    assert pkg.Count().log == []

def test_add():
    count = pkg.Count(2)
    count.add()
    assert count.n == 3
