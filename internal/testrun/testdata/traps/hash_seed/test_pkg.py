import os
import subprocess
import sys
import pkg

def child(code):
    env = dict(os.environ, PYTHONHASHSEED="0")
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env).stdout.strip()

def test_seed():
    assert os.environ["PYTHONHASHSEED"] == "0"

def test_hash():
    assert str(pkg.bucket("breakfix")) == child("print(hash('breakfix') % 1000)")

def test_order():
    assert repr(pkg.ORDER) == child("print(list({'a', 'b', 'c', 'd', 'e'}))")

def test_plain():
    assert pkg.plain(1) == 1
