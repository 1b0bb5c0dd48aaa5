import multiprocessing
import pkg

def test_fork():
    assert pkg.run("fork", pkg.work, 2) == 4

def test_spawn():
    assert pkg.run("spawn", pkg.work, 3) == 6

def test_other():
    assert pkg.other(1) == 2

def test_parent():
    assert multiprocessing.parent_process() is None
    assert multiprocessing.active_children() == []
