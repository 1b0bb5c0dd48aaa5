import pkg

def test_bump():
    assert pkg.bump() == pkg.COUNT

def test_find():
    assert pkg.find([0]) == "none"

def test_break():
    assert pkg.find([0, 1]) == "some"

def test_doc():
    assert pkg.pick.__doc__.endswith("one.")
