import pkg

def test_default():
    assert pkg.show(None) == "?"

def test_int():
    assert pkg.show(True) == "int" == pkg.FIRST

def test_list():
    assert pkg.show([1, "a"]) == "list of int,str"

def test_text():
    assert pkg.show("a") == "str"
