"""Stands in for torch, of which SkyRL's JAX back end needs only the name."""


class Tensor:
    pass


def __getattr__(name):
    raise AttributeError(f"this torch is a stand-in without {name!r}; install SkyRL in full for it")
