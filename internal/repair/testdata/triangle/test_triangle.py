from triangle import square, triangular


def test_triangular():
    assert triangular(0) == 0
    assert triangular(1) == 1
    assert triangular(4) == 10


def test_square():
    assert square(3) == 9
