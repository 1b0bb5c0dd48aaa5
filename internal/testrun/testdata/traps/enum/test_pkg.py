import pkg
from pkg import Color

def test_values():
    assert [c.value for c in Color] == [1, 4]

def test_identity():
    assert pkg.LABELS[Color(1)] == 1
    assert Color["RED"] is pkg.Color.RED

def test_missing():
    assert Color("r") is Color.RED

def test_label():
    assert Color.BLUE.label() == "blue"
