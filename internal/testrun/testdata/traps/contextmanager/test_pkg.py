import pytest
import pkg

@pytest.fixture(autouse=True)
def empty():
    del pkg.LOG[:]

def test_step():
    with pkg.step("a") as got:
        assert got == "A"
    assert pkg.LOG == ["+a", "-a"]

def test_raises():
    with pytest.raises(KeyError):
        with pkg.step("b"):
            raise KeyError
    assert pkg.LOG[-1] == "-b"

def test_decorated():
    assert pkg.job() == ["+job"]

def test_many():
    assert pkg.many("xy") == ["X", "Y"]
    assert pkg.LOG[2:] == ["-y", "-x"]
