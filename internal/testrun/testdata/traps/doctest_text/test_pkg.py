import pkg

def test_count():
    assert pkg.count() == len(pkg.LOG)
