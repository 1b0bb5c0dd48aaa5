import pytest
import pkg

class Duck:
    area = None

def test_area():
    assert pkg.Square(3).area() == 9

def test_abstract():
    with pytest.raises(TypeError):
        pkg.Shape()

def test_duck():
    assert issubclass(Duck, pkg.Shape) and pkg.FIRST

def test_slots():
    with pytest.raises(AttributeError):
        pkg.Square(1).other = 2
