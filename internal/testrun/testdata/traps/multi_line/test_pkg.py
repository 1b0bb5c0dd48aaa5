import pkg

def test_words():
    assert pkg.words() == ["a", "b"]

def test_text():
    assert "n is" in pkg.text(1)

def test_both():
    assert pkg.both(1, 2) == {"left": 1, "right": 2}

def test_bump():
    assert pkg.bump() == pkg.COUNT == 1

def test_pick():
    assert pkg.pick(0) == "no"

def test_doc():
    assert pkg.pick.__doc__.endswith("one.")
