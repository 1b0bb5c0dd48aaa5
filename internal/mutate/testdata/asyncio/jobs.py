"""Jobs that wait for each other."""

import asyncio


async def both(one, other):
    """Runs two jobs at the same time."""
    return await asyncio.gather(one(), other())


async def in_turn(one, other):
    """Runs the second job after the first is through."""
    first = await one()
    second = await other()
    return [first, second]


async def fastest(*jobs):
    """Returns what the first job that is through returns; the others are cancelled."""
    tasks = []
    for job in jobs:
        tasks.append(asyncio.create_task(job()))
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return done.pop().result()


async def kept(job):
    """Waits for a job, which goes on when the wait is cancelled."""
    return await asyncio.shield(job)


class Cache:
    """Loads each key once, however many ask for it."""

    def __init__(self, load):
        self._load = load
        self._lock = asyncio.Lock()
        self._values = {}

    async def get(self, key):
        async with self._lock:
            if key not in self._values:
                self._values[key] = await self._load(key)
            return self._values[key]


class Mailbox:
    """Letters are delivered in order by one task."""

    def __init__(self, deliver):
        self._deliver = deliver
        self._queue = asyncio.Queue()
        self._task = None

    async def open(self):
        self._task = asyncio.create_task(self._run())

    async def post(self, letter):
        await self._queue.put(letter)

    async def _run(self):
        while True:
            letter = await self._queue.get()
            if letter is None:
                return
            await self._deliver(letter)
            self._queue.task_done()

    async def close(self):
        """Returns when all is delivered."""
        await self._queue.put(None)
        await self._task
