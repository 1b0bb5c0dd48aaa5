from pkg.b import h

def test_h():
    assert h() == 3
