import asyncio
import unittest
import pkg

def test_both():
    assert asyncio.run(pkg.both()) == [2, 3]

def test_name():
    assert asyncio.run(pkg.named("me")) == "me"
    assert pkg.WHO.get() == "nobody"

def test_numbers():
    async def main():
        return [i async for i in pkg.numbers(3)]
    assert asyncio.run(main()) == [0, 1, 2]

class TestLoop(unittest.IsolatedAsyncioTestCase):
    async def test_slow(self):
        self.assertEqual(await pkg.slow(4), 5)
