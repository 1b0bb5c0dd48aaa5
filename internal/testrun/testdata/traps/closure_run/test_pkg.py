import pkg

def test_counts():
    up = pkg.counter(5)
    assert [up(), up(), up(3)] == [6, 7, 10]

def test_keeps():
    assert pkg.keeper(1, 2)() == (1, 2)

def test_cells():
    assert pkg.keeper(1, 2).__code__.co_freevars == ("a", "b")
