import pytest
import pkg

pytestmark = pytest.mark.filterwarnings("ignore:calm")

def test_calm():
    assert pkg.calm() == 1

@pytest.mark.slow
def test_loud():
    assert pkg.loud() == 2

def test_last():
    assert pkg.loud() + pkg.calm() == 3
