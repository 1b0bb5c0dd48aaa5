def test_first(store):
    assert store.add("a") == 3

def test_second(store):
    assert store.add("b") == 4

def test_seed(store):
    assert store.items[0] == "seed"
