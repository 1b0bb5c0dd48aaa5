from pkg.a import f

def test_f():
    assert f() == 1
