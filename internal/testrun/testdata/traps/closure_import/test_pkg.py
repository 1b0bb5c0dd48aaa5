import pkg

def test_made_at_import():
    assert pkg.plus1(1) == 2

def test_in_a_table():
    assert pkg.TABLE["two"](1) == 3

def test_made_now():
    assert pkg.adder(3)(1) == 4
