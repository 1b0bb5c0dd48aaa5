import threading
import pkg

def test_alone():
    assert threading.active_count() == 1
    assert threading.current_thread() is threading.main_thread()

def test_pool():
    assert pkg.all_of([1, 2, 3]) == [2, 4, 6]

def test_left():
    assert pkg.left().is_alive()

def test_local():
    assert not hasattr(pkg.LOCAL, "n")
