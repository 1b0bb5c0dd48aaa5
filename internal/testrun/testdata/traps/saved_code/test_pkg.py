import pkg

def test_first():
    assert pkg.first(1) == 2

def test_copy():
    assert pkg.COPY(1) == 2

def test_same():
    assert pkg.first.__code__ is pkg.CODE

def test_name():
    assert pkg.name_of(pkg.second) == "second"

def test_second():
    assert pkg.second(1) == 3
