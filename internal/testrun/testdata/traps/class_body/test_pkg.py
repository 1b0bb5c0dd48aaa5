from pkg import Box

def test_sizes():
    assert Box.SIZES == [0, 2, 4]

def test_total():
    assert Box.total == 6

def test_nested():
    assert Box.Lid().shut() == "shut"

def test_speed():
    assert Box().speed() == 9
