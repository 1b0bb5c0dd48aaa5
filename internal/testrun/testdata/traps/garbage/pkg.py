import gc
import weakref

class Node:
    def __init__(self):
        self.me = self

ALIVE = Node()
REF = weakref.ref(ALIVE)
CACHE = weakref.WeakValueDictionary()

def drop():
    global ALIVE
    ALIVE = None
    gc.collect()
    return REF()

def kept(key):
    node = CACHE[key] = Node()
    return node

def live(key):
    gc.collect()
    return key in CACHE
