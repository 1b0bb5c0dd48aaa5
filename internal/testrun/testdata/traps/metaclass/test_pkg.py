import pkg

def test_label():
    assert pkg.Single.label == "SINGLE"

def test_single():
    assert pkg.Single() is pkg.Single()

def test_len():
    assert len(pkg.Single) == 6

def test_new_class():
    class Other(metaclass=pkg.Meta):
        label = "o"
    assert len(Other) == 1
