import os
import sys
import pkg

def test_mode():
    assert pkg.mode() == "plain"

def test_switch():
    pkg.switch("fast")
    assert pkg.mode() == "fast"

def test_zstays():
    assert os.environ.pop("PKG_MODE") == "fast"

def test_home(monkeypatch):
    monkeypatch.setenv("HOME", "/nowhere")
    assert pkg.HOME == "/tmp"

def test_current():
    assert os.environ["PYTEST_CURRENT_TEST"] == "test_pkg.py::test_current (call)"

def test_named():
    assert sorted(k for k in os.environ if "BREAKFIX" in k.upper()) == []
    assert not any("PYTEST" in k for k in os.environ if k not in ("PYTEST_CURRENT_TEST", "PYTEST_VERSION", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"))
