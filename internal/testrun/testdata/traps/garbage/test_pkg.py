import gc
import pkg

def test_drop():
    assert pkg.drop() is None

def test_cache():
    node = pkg.kept("a")
    assert pkg.live("a")
    del node
    assert not pkg.live("a")

def test_enabled():
    assert gc.isenabled() and gc.get_freeze_count() == 0 and gc.get_debug() == 0

def test_finds():
    assert any(isinstance(o, type) and o is pkg.Node for o in gc.get_objects())
