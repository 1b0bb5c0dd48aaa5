import pkg

def test_same():
    assert pkg.A().get() + pkg.B().get() == "AB"
