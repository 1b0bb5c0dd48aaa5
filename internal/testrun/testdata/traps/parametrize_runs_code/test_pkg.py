import pytest
import pkg

@pytest.mark.parametrize("n", pkg.cases())
def test_square(n):
    assert pkg.square(n) == n ** 2

@pytest.mark.skipif(not pkg.enabled(), reason="off")
def test_enabled():
    assert pkg.square(2) == 4

if pkg.enabled():
    def test_there():
        assert pkg.square(0) == 0
