import pytest
from pkg import Store

@pytest.fixture(scope="session")
def store():
    s = Store()
    yield s
    s.close()
    assert s.items is None

@pytest.fixture(scope="module", autouse=True)
def named(store):
    store.add("module")
