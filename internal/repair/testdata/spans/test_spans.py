from spans import inside, length, overlap


def test_overlap():
    assert overlap((1, 3), (2, 5))
    assert not overlap((1, 2), (4, 5))
    assert not overlap((4, 5), (1, 2))
    assert overlap((2, 4), (1, 2))
    assert overlap((1, 2), (2, 3))


def test_length():
    assert length((2, 2)) == 1
    assert length((1, 4)) == 4


def test_inside():
    assert inside(2, (2, 3))
    assert not inside(4, (2, 3))
