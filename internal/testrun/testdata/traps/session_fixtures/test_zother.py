def test_other_module(store):
    assert store.items[4] == "module"
