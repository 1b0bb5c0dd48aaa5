from merge import insert, merge


def test_merge():
    assert merge([1, 4], [2, 3]) == [1, 2, 3, 4]
    assert merge([1, 2], [3, 4]) == [1, 2, 3, 4]
    assert merge([], [1]) == [1]


def test_merge_with_nothing():
    assert merge([1, 2], []) == [1, 2]


def test_insert():
    assert insert([1, 3], 2) == [1, 2, 3]
    assert insert([1, 3], 5) == [1, 3, 5]
