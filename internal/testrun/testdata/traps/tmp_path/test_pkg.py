import os
import pytest
import pkg

@pytest.mark.parametrize("n", [1, 2])
def test_empty(tmp_path, n):
    assert pkg.write(tmp_path) == ["a"]

def test_number(tmp_path_factory):
    assert tmp_path_factory.getbasetemp().name == "pytest-0"
    assert tmp_path_factory.mktemp("n").name == "n0"

def test_made():
    assert os.path.basename(pkg.made()).startswith("pkg")
    assert len([n for n in os.listdir("/tmp") if n.startswith("pkg")]) == 1
