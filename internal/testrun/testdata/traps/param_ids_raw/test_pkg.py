import pytest
import pkg

@pytest.mark.parametrize("s", ["é", "中文", "two\nlines", "\u2028x", "🙂b"])
def test_flip(s):
    assert pkg.flip(s)[-1] == s[0]
