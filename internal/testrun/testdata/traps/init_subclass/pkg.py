REGISTRY = {}

class Plugin:
    def __init_subclass__(cls, name=None, **kwargs):
        super().__init_subclass__(**kwargs)
        REGISTRY[name or cls.__name__.lower()] = cls

    def run(self):
        return "plugin"

class First(Plugin):
    def run(self):
        return super().run() + "!"

class Second(Plugin, name="two"):
    pass
