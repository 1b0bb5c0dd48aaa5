import os
import pytest
import pkg

@pytest.mark.parametrize("folder", ["/tmp", ".", "/dev/shm", "sub"])
def test_leave(folder):
    os.makedirs(folder, exist_ok=True)
    assert os.path.exists(pkg.leave(folder))

def test_module():
    assert not os.path.exists("made.py")
    with open("made.py", "w") as f:
        f.write("VALUE = 1")
    import made
    assert made.VALUE == 1

def test_overwrites():
    with open("pkg.py", "a") as f:
        f.write("# more\n")
    with open("pkg.py") as f:
        assert f.read().count("# more") == 1
