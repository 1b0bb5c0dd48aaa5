from pkg import Safe, _Under

def test_put():
    s = Safe()
    assert [s.put(i) for i in range(5)] == [1, 2, 3, 3, 3]

def test_names():
    assert Safe()._Safe__items == []

def test_under():
    assert _Under().get() == {"_Under__v": 1}
