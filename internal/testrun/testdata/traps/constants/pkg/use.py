from pkg.config import LIMIT
from pkg import config

TWICE = LIMIT * 2

def cut(s):
    return s[:LIMIT]

def name(n):
    return config.NAMES[n]

if config.DEBUG:
    def name(n):
        return "debug"
