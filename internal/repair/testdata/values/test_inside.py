from figures import area, ladder


def test_parts():
    assert ladder(0) == []
    assert ladder(3) == [0, 3, 6]
    assert ladder(2) == [0, 3]


def test_torn():
    assert ladder(2) == [0, 3]
    assert ladder(3) == [0, 2, 5]


def test_adds():
    assert area(["ab", "c"]) == 5
    assert area([]) == 0
    assert area(["abc"]) == 4
    assert area([[]]) == 1


def test_holds():
    assert area(["ab", "c"]) == 5
    assert area(["ab"]) == 2
