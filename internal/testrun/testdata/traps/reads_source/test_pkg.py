import inspect
import linecache
import pkg

def test_getsource():
    assert "# one" in inspect.getsource(pkg.first)

def test_file():
    with open(pkg.__file__) as f:
        assert "return 2" in f.read()

def test_own_file():
    with open(__file__) as f:
        assert "test_own_file" in f.read()

def test_line():
    code = pkg.third.__code__
    assert linecache.getline(code.co_filename, code.co_firstlineno + 1).strip() == "return 3"

def test_runs():
    assert pkg.first() == 1 and pkg.second() == 2
