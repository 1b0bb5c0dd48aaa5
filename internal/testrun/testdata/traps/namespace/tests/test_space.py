import space
from space.one import first
from space.two import second

def test_first():
    assert first.value() == 1

def test_second():
    assert second.more() == 2

def test_space():
    assert not getattr(space, "__file__", None) and list(space.__path__)
