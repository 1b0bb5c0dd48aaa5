import pytest
import pkg

def test_fresh():
    assert next(pkg.FRESH) == 1

def test_moved():
    assert next(pkg.MOVED) == 2

def test_goes_on():
    assert [next(pkg.FRESH), next(pkg.MOVED)] == [2, 3]

def test_coroutine():
    with pytest.raises(StopIteration) as e:
        pkg.CORO.send(None)
    assert e.value.value == 42

def test_later():
    assert list(pkg.later()) == [7, 8]
