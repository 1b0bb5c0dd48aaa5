import pkg

class Mine(pkg.Plugin, name="mine"):
    pass

def test_names():
    assert sorted(pkg.REGISTRY) == ["first", "mine", "two"]

def test_run():
    assert pkg.REGISTRY["first"]().run() == "plugin!"

def test_local():
    class Local(pkg.Plugin):
        pass
    assert pkg.REGISTRY.pop("local") is Local
