import dataclasses
import pytest
import pkg

def test_defaults():
    assert pkg.Point() == pkg.Point(1, 2)
    assert repr(pkg.Point()) == "Point(x=1, y=2, tags=[])"

def test_sum():
    assert pkg.Point(3, 4).sum == 7

def test_far():
    assert pkg.Point(9, 2).far() and not pkg.Point().far()

def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        pkg.Key("a").name = "b"
