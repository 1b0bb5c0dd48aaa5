import pkg

def test_half():
    assert pkg.half(4) == 2

def test_third():
    assert pkg.third(9) == 3

def test_logs():
    del pkg.CALLS[:]
    pkg.third(3)
    assert pkg.CALLS == ["third", "third"]

def test_wrapped():
    assert pkg.half.__wrapped__(2) == 1
