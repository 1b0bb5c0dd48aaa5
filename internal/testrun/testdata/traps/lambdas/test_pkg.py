import pkg

def test_add():
    assert pkg.apply("add", 1, 2) == 3

def test_sub():
    assert pkg.apply("sub", 1, 2) == -1

def test_order():
    assert pkg.order(["bb", "c", "aa"]) == ["c", "aa", "bb"]

def test_make():
    assert [f() for f in pkg.make()] == [0, 2, 4]
