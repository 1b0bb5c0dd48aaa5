import os
import sys
import threading
import pkg

def test_pid():
    assert pkg.same_process()

def test_main():
    assert pkg.main_name() == "__main__"
    assert sys.argv == pkg.ARGV

def test_files():
    before = pkg.open_files()
    with open("/dev/null"):
        assert pkg.open_files() == before + 1
    assert pkg.open_files() == before

def test_thread():
    assert threading.main_thread().native_id == os.getpid()

def test_flags():
    assert pkg.flags() == (1, 0)

def test_path():
    assert sys.path.count(os.path.dirname(os.path.abspath(__file__))) >= 1
    assert sys.meta_path and sys.path_hooks and not sys.gettrace() or "coverage" in sys.modules
