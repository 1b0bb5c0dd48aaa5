import warnings
import pytest
import pkg

def test_warns():
    with pytest.warns(DeprecationWarning, match="old"):
        pkg.old()

def test_recwarn(recwarn):
    assert pkg.quiet() == 2
    assert not recwarn.list

def test_once():
    with warnings.catch_warnings(record=True) as got:
        warnings.simplefilter("default")
        for _ in range(3):
            pkg.old()
    assert len(got) == 1

def test_import():
    assert [str(w.message) for w in pkg.AT_IMPORT] == ["at import"]
