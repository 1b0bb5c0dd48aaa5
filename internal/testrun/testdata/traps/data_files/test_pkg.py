import pkg

def test_word():
    assert pkg.word(1) == "one"

def test_template():
    assert pkg.template() == "hello"
