from chunks import chunks, joined


def test_chunks():
    assert chunks([1, 2, 3, 4], 2)[0] == [1, 2]
    assert chunks([1, 2, 3, 4], 2)[1] == [3, 4]
    assert chunks([1, 2, 3], 2) == [[1, 2], [3]]
    assert chunks([], 2) == []


def test_joined():
    assert joined([[1], [2, 3]]) == [1, 2, 3]
