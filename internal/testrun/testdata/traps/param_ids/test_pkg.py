import pytest
import pkg

ODD = ["é", "中文", "a[b]", "a::b", "new\nline", "tab\t", "", " ", "'\"", "\\", "a/b.py::c", "[", "]", "\x00", "-x", "a]", "🙂"]

@pytest.mark.parametrize("s", ODD)
def test_twice(s):
    assert pkg.flip(pkg.flip(s)) == s

@pytest.mark.parametrize("s", ["[é]", "x::y"], ids=["id [é]", "id::y"])
class TestIn:
    @pytest.mark.parametrize("n", [1, 2.5, None, True, b"\xff"])
    def test_same(self, s, n):
        assert pkg.same(s) == s
