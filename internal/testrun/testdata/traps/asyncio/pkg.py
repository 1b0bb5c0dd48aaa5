import asyncio
import contextvars

WHO = contextvars.ContextVar("who", default="nobody")
LOCK = asyncio.Lock()

async def slow(n):
    async with LOCK:
        await asyncio.sleep(0)
    return n + 1

async def both():
    return await asyncio.gather(slow(1), slow(2))

async def named(name):
    WHO.set(name)
    return WHO.get()

async def numbers(n):
    for i in range(n):
        yield i
