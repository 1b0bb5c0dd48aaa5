import faulthandler
import time
import pkg

def test_dump(tmp_path):
    with open(tmp_path / "x", "w+") as f:
        pkg.dump(f)
        f.seek(0)
        assert "in test_dump" in f.read()

def test_later(tmp_path):
    with open(tmp_path / "x", "w+") as f:
        pkg.later(f)
        time.sleep(0.3)
        f.seek(0)
        assert "Timeout" in f.read()
    faulthandler.cancel_dump_traceback_later()

def test_on():
    assert pkg.on()
