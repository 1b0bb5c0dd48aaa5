from windows import largest, windows


def test_windows():
    found = windows([1, 2, 3, 4], 2)
    assert found[0] == [1, 2]
    assert found[1] == [2, 3]
    assert len(found) == 3
    assert windows([7], 1) == [[7]]


def test_largest():
    assert largest([1, 5, 2, 9, 4], 2) == 13
    assert largest([3, 3, 8], 2) == 11
