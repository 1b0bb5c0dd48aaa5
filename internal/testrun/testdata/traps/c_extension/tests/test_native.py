import native

def test_first():
    assert native.count() == 1

def test_twice():
    assert native.twice() == 5

def test_plain():
    assert native.plain() == 1
