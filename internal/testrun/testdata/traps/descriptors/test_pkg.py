from pkg import Thing

def test_get():
    assert Thing.made("ab").title == "AB"

def test_size():
    assert Thing.made("abc").size == 3

def test_setter():
    it = Thing()
    it.size = 4
    assert it._title == "xxxx"

def test_twice():
    assert Thing.made("abc").twice == 6

def test_static():
    assert Thing.add(1, 2) == 3
