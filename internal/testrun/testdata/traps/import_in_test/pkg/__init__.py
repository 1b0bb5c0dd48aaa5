def __getattr__(name):
    if name == "lazy":
        import pkg.lazy
        return pkg.lazy
    raise AttributeError(name)
