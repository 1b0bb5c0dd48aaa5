import pkg

def test_put():
    box = pkg.Box()
    box.put(1)
    assert box.seen == [1]

def test_last():
    box = pkg.Box()
    box.put(2)
    assert box.last == 2

def test_size():
    assert pkg.Box().size() == 0

def test_full():
    box = pkg.Box()
    for i in range(3):
        box.put(i)
    assert pkg.full(box)
