import importlib
import importlib.util
import runpy
import sys
import pkg

def test_reload():
    assert importlib.reload(pkg).one() == 1

def test_again():
    old = sys.modules.pop("pkg")
    try:
        new = importlib.import_module("pkg")
        assert new is not old and new.two() == 2
    finally:
        sys.modules["pkg"] = old

def test_runpy():
    assert runpy.run_module("pkg", run_name="__main__")["RESULT"] == 3

def test_spec():
    spec = importlib.util.spec_from_file_location("copy_of_pkg", pkg.__file__)
    m = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(m)
    assert m.one() == 1
