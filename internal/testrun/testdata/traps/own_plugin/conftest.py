import pytest
import pkg

def pytest_generate_tests(metafunc):
    if "size" in metafunc.fixturenames:
        metafunc.parametrize("size", pkg.sizes())

def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: pkg.rank(item.name))

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    pkg.SEEN.append(item.name)
    yield

def pytest_itemcollected(item):
    item.user_properties.append(("rank", pkg.rank(item.name)))
