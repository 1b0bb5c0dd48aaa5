import pkg

def test_table():
    assert pkg.TABLE == [0, 2, 4]

def test_double():
    assert pkg.double(5) == 10

def test_look():
    assert pkg.look(2) == 4
