import os
import random
import uuid

OWN = random.Random()

def shuffled(xs):
    xs = list(xs)
    random.shuffle(xs)
    return xs

def token():
    return OWN.getrandbits(128)

def in_child():
    r, w = os.pipe()
    if os.fork() == 0:
        os.write(w, str(uuid.uuid4()).encode())
        os._exit(0)
    os.wait()
    return os.read(r, 100).decode()
