import pkg

def test_square():
    assert pkg.square(3) == 9

def test_bound():
    assert pkg.hello() == "hello you"

def test_table():
    assert pkg.METHODS["hello"](pkg.Greeter("me")) == "hello me"

def test_alias():
    assert pkg.Loud("x").hello_again() == "hello x"

def test_eq():
    assert pkg.Greeter("a") == pkg.Greeter("a")
