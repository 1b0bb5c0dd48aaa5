__all__ = ["shout", "LIMIT"]
LIMIT = 3

def shout(s):
    return s.upper() + "!"

def _private():
    return LIMIT

def other():
    return 0
