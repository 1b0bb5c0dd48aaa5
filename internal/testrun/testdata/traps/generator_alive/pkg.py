def numbers():
    n = 1
    while True:
        yield n
        n += 1

async def answer():
    return 40 + 2

FRESH = numbers()
MOVED = numbers()
next(MOVED)
CORO = answer()

def later():
    yield from (7, 8)
