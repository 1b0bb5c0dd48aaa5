import pkg

def test_step():
    assert pkg.step(1) == 3

def test_times():
    assert pkg.step(1, 1, times=3) == 4

def test_collect():
    assert pkg.collect(1) == [1]

def test_collects_on():
    assert pkg.collect(2) == [1, 2]

def test_late():
    assert pkg.late(4) == 8
