import pkg

def test_one():
    assert pkg.one() == 1

def test_sides():
    box = pkg.one.make(1, 2)
    assert (box.left, box.right) == (1, 2)

def test_default():
    assert pkg.two.make(1, 2).right == 7

def test_made():
    assert pkg.two.made.left == 1
