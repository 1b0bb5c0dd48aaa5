import pkg

def test_add(three):
    assert pkg.add(1, 2) == three

def test_zero():
    assert pkg.add(0, 0) == 0
