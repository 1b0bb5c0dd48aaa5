import pkg

def test_hidden():
    assert pkg.hidden(1) == 3

def test_gone():
    assert pkg.gone is None
    assert pkg.REGISTRY["gone"](1) == 3

def test_inside():
    assert pkg.inside(1) == 4
