import pkg

def test_one():
    assert pkg.step("one") == 1

def test_two():
    assert pkg.step("two") == 2
