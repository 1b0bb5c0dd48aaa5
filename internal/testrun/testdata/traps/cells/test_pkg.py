import pkg

def test_get():
    assert pkg.GET() == 3

def test_put():
    pkg.PUT(5)
    assert pkg.GET() == 7

def test_new():
    get, put = pkg.make(2)
    put(0)
    assert get() == 4

def test_super():
    assert pkg.Child().who() == "child base"
