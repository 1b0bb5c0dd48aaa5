import threading

from ledger import Counter, Ledger
from pipeline import Pipeline


def finish(*jobs):
    """Runs each job in a thread of its own; all must end within a second."""
    threads = [threading.Thread(target=job, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(1)
    assert not any(thread.is_alive() for thread in threads), "deadlock"


def race(first, second):
    """Runs second while first is in its middle: behind its lock, if it has one."""
    inside, over = threading.Event(), threading.Event()

    def pause():
        inside.set()
        over.wait(0.1)  # with a lock, second cannot get past it

    def other():
        assert inside.wait(1)
        second()
        over.set()

    finish(lambda: first(pause), other)


def test_counts_what_two_threads_add():
    counter = Counter()
    race(lambda pause: counter.add(1, pause), lambda: counter.add(1))
    results = []
    finish(lambda: results.append(counter.take()))
    assert results == [2]


def test_takes_nothing_twice():
    counter = Counter()
    finish(lambda: counter.add(3))
    results = []
    race(lambda pause: results.append(counter.take(pause)), lambda: results.append(counter.take()))
    assert sorted(results) == [0, 3]


def test_posts_and_closes_at_the_same_time():
    ledger = Ledger()
    race(lambda pause: ledger.post("a", 5, pause), ledger.close)
    at = threading.Barrier(2)

    def meet():
        try:
            at.wait(0.1)  # both are here only where they hold different locks
        except threading.BrokenBarrierError:
            pass

    closed = []
    finish(lambda: ledger.post("a", 2, meet), lambda: closed.append(ledger.close(meet)))
    results = []
    finish(lambda: results.append(ledger.balance("a")))
    assert results == [7]


def test_reads_no_balance_in_the_middle_of_a_post():
    ledger = Ledger()
    seen = []
    race(lambda pause: ledger.post("a", 5, pause), lambda: seen.append(ledger.balance("a")))
    assert seen == [5]


def test_the_pipeline_works_off_everything():
    results = []

    def use():
        pipeline = Pipeline(lambda n: n * n)
        for n in range(5):
            pipeline.submit(n)
        results.extend(pipeline.drain())
        results.append(pipeline.close())

    finish(use)
    assert results == [0, 1, 4, 9, 16, True]
