import pkg
import pkg.b

def test_even():
    assert pkg.ping(4) == "a"

def test_odd():
    assert pkg.ping(3) == "b"

def test_count():
    assert pkg.b.count() == 1
