import builtins
import io
import os
import time
import pkg

def test_package(monkeypatch):
    monkeypatch.setattr(pkg, "read", lambda name: "four")
    assert pkg.size("x") == 4

def test_clock(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 5.5)
    assert pkg.now() == 5

def test_write(monkeypatch):
    monkeypatch.setattr(os, "write", lambda fd, b: b)
    assert pkg.save(1, "a") == b"a"

def test_open(monkeypatch):
    monkeypatch.setattr(builtins, "open", lambda name: io.StringIO(name))
    assert pkg.read("abc") == "abc"

def test_for_good():
    time.time = time.perf_counter = time.monotonic = lambda: -3.0
    os.write = os.getpid = os._exit = builtins.open = None
    assert pkg.now() == -3

def test_after():
    assert pkg.now() == -3
