import pkg

def test_add():
    assert pkg.add(1, 2) == 3

def test_place():
    assert "/src/" in pkg.__file__
