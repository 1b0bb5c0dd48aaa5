import asyncio

import pytest

from jobs import Cache, Mailbox, both, fastest, in_turn, kept


def run(coroutine):
    async def limited():
        return await asyncio.wait_for(coroutine, 1)

    return asyncio.run(limited())


def test_both_meet():
    async def main():
        here, there = asyncio.Event(), asyncio.Event()

        async def one():
            here.set()
            await there.wait()
            return 1

        async def other():
            there.set()
            await here.wait()
            return 2

        return await both(one, other)

    assert run(main()) == [1, 2]


def test_a_failure_of_one_fails_both():
    async def good():
        return 1

    async def bad():
        raise ValueError

    with pytest.raises(ValueError):
        run(both(good, bad))


def test_in_turn():
    log = []

    async def one():
        log.append("one begins")
        await asyncio.sleep(0)
        log.append("one ends")
        return 1

    async def other():
        log.append("other begins")
        return 2

    assert run(in_turn(one, other)) == [1, 2]
    assert log == ["one begins", "one ends", "other begins"]


def test_the_fastest_wins():
    async def main():
        never = asyncio.Event()
        cancelled = []

        async def slow():
            try:
                await never.wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        async def quick():
            return "quick"

        result = await fastest(slow, quick)
        await asyncio.sleep(0)
        return result, cancelled

    assert run(main()) == ("quick", [True])


def test_what_is_kept_goes_on():
    async def main():
        go = asyncio.Event()

        async def job():
            await go.wait()
            return "done"

        inner = asyncio.create_task(job())
        outer = asyncio.create_task(kept(inner))
        await asyncio.sleep(0)
        outer.cancel()
        await asyncio.sleep(0)
        go.set()
        return await inner

    assert run(main()) == "done"


def test_loads_once():
    async def main():
        loaded = []

        async def load(key):
            loaded.append(key)
            await asyncio.sleep(0)
            return key.upper()

        cache = Cache(load)
        values = await asyncio.gather(cache.get("a"), cache.get("a"), cache.get("b"))
        return values, loaded

    assert run(main()) == (["A", "A", "B"], ["a", "b"])


def test_everything_is_delivered_before_it_is_closed():
    async def main():
        delivered = []

        async def deliver(letter):
            await asyncio.sleep(0)
            delivered.append(letter)

        box = Mailbox(deliver)
        await box.open()
        for letter in "abc":
            await box.post(letter)
        await box.close()
        return delivered

    assert run(main()) == ["a", "b", "c"]
