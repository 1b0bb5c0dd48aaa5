from little import lists


def test_first():
    assert lists.first([4, 5]) == 4
    assert lists.first([7]) == 7


def test_last():
    assert lists.last([4, 5, 6]) == 6
    assert lists.last([7]) == 7


def test_total():
    assert lists.total([1, 2, 3]) == 6
    assert lists.total([]) == 0


def test_largest():
    assert lists.largest([3, 9, 2]) == 9
    assert lists.largest([-3, -5]) == -3


def test_count_over():
    assert lists.count_over([1, 5, 9], 4) == 2
    assert lists.count_over([4], 4) == 0
    assert lists.count_over([], 1) == 0


def test_reverse():
    assert lists.reverse([1, 2, 3]) == [3, 2, 1]
    assert lists.reverse([]) == []


def test_positives():
    assert lists.positives([1, -2, 3]) == [1, 3]
    assert lists.positives([0]) == []


def test_index_of():
    assert lists.index_of([5, 6], 6) == 1
    assert lists.index_of([5, 6], 5) == 0
    assert lists.index_of([5], 1) == -1


def test_unique():
    assert lists.unique([1, 1, 2]) == [1, 2]
    assert lists.unique([]) == []


def test_pairs():
    assert lists.pairs([1, 2], [3, 4]) == [(1, 3), (2, 4)]
    assert lists.pairs([], []) == []
