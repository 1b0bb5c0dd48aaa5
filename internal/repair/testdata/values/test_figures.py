from figures import first, weigh


def test_weigh():
    assert weigh([1], 1) == 0
    assert weigh([5], 2) == 7
    assert weigh([1, 2], 3) == 5


def test_first():
    assert first({"a": "x"}, "b") == "X"
