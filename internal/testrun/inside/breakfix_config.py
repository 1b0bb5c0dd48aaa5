"""Tells which configuration file pytest uses for the tree, and its addopts."""

import os
import shlex
import sys
from pathlib import Path

from breakfix_channel import attach_inherited, done, send

attach_inherited()

from _pytest.config.findpaths import load_config_dict_from_file

# The order in which pytest looks (its own function differs from version to version).
NAMES = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")

for name in NAMES:
    path = Path("/work", name)
    if not path.is_file():
        continue
    try:
        config = load_config_dict_from_file(path)
        if config is None:
            continue
        options = config.get("addopts", "")
        options = getattr(options, "value", options)
        if isinstance(options, str):
            options = shlex.split(options)
    except BaseException as e:
        send("config", file=name, reason="%s: %s" % (type(e).__name__, e))
        done()
    send("config", file=name, ids=[str(o) for o in options])
    break
done()
