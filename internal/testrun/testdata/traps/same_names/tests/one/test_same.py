import pkg

def test_same():
    assert (pkg.first(), pkg.f()) == ("first", "second")
