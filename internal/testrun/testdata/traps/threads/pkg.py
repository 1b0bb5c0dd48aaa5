import threading
from concurrent.futures import ThreadPoolExecutor

LOCAL = threading.local()

def work(n):
    LOCAL.n = n
    return LOCAL.n * 2

def all_of(ns):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(work, ns))

def left():
    stop = threading.Event()
    t = threading.Thread(target=stop.wait, daemon=True)
    t.start()
    return t
