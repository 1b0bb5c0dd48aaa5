import subprocess
import sys
from pkg.core import double

def run(*args):
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, check=True).stdout

def test_command():
    assert run("-m", "pkg", "2", "3") == "5\n"

def test_code():
    assert run("-c", "import pkg.core; print(pkg.core.double(2))") == "4\n"

def test_double():
    assert double(3) == 6
