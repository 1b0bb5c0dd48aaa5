import pkg

def test_z():
    assert pkg.seen() == ["test_a", "test_size[1]", "test_size[2]", "test_z"]

def test_a():
    assert pkg.seen() == ["test_a"]

def test_size(size):
    assert size in pkg.sizes()
