import pkg

def test_function():
    assert pkg.there_and_back(pkg.make) is pkg.make

def test_class():
    assert pkg.there_and_back(pkg.Thing) is pkg.Thing

def test_thing():
    it = pkg.there_and_back(pkg.Thing(3))
    assert type(it) is pkg.Thing and it.n == 3

def test_slim():
    assert pkg.there_and_back(pkg.slim(4)).v == 4
