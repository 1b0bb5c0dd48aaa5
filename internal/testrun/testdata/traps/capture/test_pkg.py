import os
import sys
import pkg

def test_sys(capsys):
    pkg.hello("you")
    assert capsys.readouterr() == ("hello you\n", "")

def test_fd(capfd):
    pkg.raw("raw")
    os.system("echo child")
    assert capfd.readouterr().out == "rawchild\n"

def test_err(capsys):
    pkg.err("bad")
    assert capsys.readouterr().err == "bad"

def test_kept(capfd):
    pkg.kept("kept")
    assert "kept" not in capfd.readouterr().err

def test_binary(capfdbinary):
    pkg.raw("é")
    assert capfdbinary.readouterr().out == b"\xc3\xa9"

def test_stdin():
    assert os.fstat(0).st_rdev == os.stat("/dev/null").st_rdev
