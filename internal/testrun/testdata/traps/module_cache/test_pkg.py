import pkg

def test_first():
    assert pkg.square(3) == 9

def test_again():
    assert pkg.square(3) == 9

def test_zero():
    assert pkg.square(0) == 0
