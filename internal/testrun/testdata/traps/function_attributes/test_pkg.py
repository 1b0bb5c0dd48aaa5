import pytest
import pkg

@pytest.fixture(autouse=True)
def fresh():
    pkg.reset()

def test_one():
    assert pkg.visit("a") == 1
    assert pkg.visit.last == "a"

def test_two():
    pkg.visit(1)
    assert pkg.visit(2) == 2
