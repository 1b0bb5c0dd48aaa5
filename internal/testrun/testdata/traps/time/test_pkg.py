import time
import pkg

def test_just_imported():
    assert 0 <= pkg.age() < 8
    assert time.monotonic() - pkg.BEGAN < 8

def test_pause():
    assert 0.04 < pkg.pause(0.05) < 2

def test_frozen(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: pkg.STARTED + 1)
    assert pkg.age() == 1

def test_year(monkeypatch):
    monkeypatch.setattr(time, "gmtime", lambda: time.struct_time([1999] + [1] * 8))
    assert pkg.stamp() == "1999"
