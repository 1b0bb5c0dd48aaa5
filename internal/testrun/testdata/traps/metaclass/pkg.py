class Meta(type):
    def __new__(mcls, name, bases, ns):
        ns.setdefault("label", name.upper())
        return super().__new__(mcls, name, bases, ns)

    def __call__(cls, *args):
        if "_one" not in cls.__dict__:
            cls._one = super().__call__(*args)
        return cls._one

    def __len__(cls):
        return len(cls.label)

class Single(metaclass=Meta):
    pass
