import pytest
import pkg

def test_traceback():
    with pytest.raises(ValueError) as e:
        pkg.fails()
    assert e.traceback[-1].lineno + 1 == 7

def test_warning():
    with pytest.warns(UserWarning) as got:
        pkg.warns()
    assert got[0].lineno == 10

def test_constant():
    assert pkg.LINE == 6

def test_above():
    assert pkg.above(1) == 1
