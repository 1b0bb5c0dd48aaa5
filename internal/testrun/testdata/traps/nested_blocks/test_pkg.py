import pkg

def test_a():
    assert pkg.pick(True, False) == 1

def test_b():
    assert pkg.pick(False, True) == 3

def test_neither():
    assert pkg.pick(False, False) == 2

def test_first():
    assert pkg.first([0, 4]) == 4

def test_first_of_none():
    assert pkg.first([]) is None
