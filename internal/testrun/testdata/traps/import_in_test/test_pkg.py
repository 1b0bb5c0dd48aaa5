import pkg

def test_lazy():
    assert pkg.lazy.get() == 5

def test_third():
    from pkg.third import get
    assert get() == 3

def test_missing():
    assert not hasattr(pkg, "nothing")
