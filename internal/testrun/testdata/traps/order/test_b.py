import pkg

def test_three():
    assert pkg.step("three") == 3

def test_names():
    assert pkg.names() == "one,two,three"
