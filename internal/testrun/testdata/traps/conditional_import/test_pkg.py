import pkg

def test_work():
    assert pkg.work() == "slow"

def test_text():
    assert pkg.text(b"a") == "a"

def test_lazily():
    assert pkg.lazily() == 5
