import time

STARTED = time.time()
BEGAN = time.monotonic()

def age():
    return time.time() - STARTED

def pause(seconds):
    before = time.perf_counter()
    time.sleep(seconds)
    return time.perf_counter() - before

def stamp():
    return time.strftime("%Y", time.gmtime())
