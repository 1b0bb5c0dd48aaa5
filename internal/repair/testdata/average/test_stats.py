from stats import mean, spread


def test_mean():
    assert mean([1, 2, 3]) == 2
    assert mean([4]) == 4


def test_mean_of_two():
    assert mean([1, 3]) == 2


def test_mean_of_nothing():
    assert mean([]) == 0


def test_spread():
    assert spread([3, 9, 4]) == 6
    assert spread([]) == 0
