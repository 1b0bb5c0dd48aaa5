import os
import pkg

def test_read():
    assert pkg.read() == 42

def test_here():
    assert pkg.HERE == os.getcwd() == os.path.dirname(os.path.abspath(pkg.__file__))

def test_chdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert pkg.where() == tmp_path.name

def test_zgoes():
    assert pkg.up() == "/"

def test_zstays():
    assert os.getcwd() == "/"
