"""A counter and a ledger that many threads use at once."""

import threading


def nothing():
    pass


class Counter:
    def __init__(self):
        self._lock = threading.Lock()
        self._value = 0

    def add(self, step, between=nothing):
        """Adds step. between is called after the value was read."""
        with self._lock:
            seen = self._value
            between()
            self._value = seen + step
        return self

    def take(self, between=nothing):
        """Returns the value and sets it to zero."""
        self._lock.acquire()
        try:
            taken = self._value
            between()
            self._value = 0
        finally:
            self._lock.release()
        return taken


class Ledger:
    """Accounts and a journal, each under a lock of its own."""

    def __init__(self):
        self._accounts_lock = threading.Lock()
        self._journal_lock = threading.Lock()
        self._accounts = {}
        self._journal = []

    def post(self, name, amount, between=nothing):
        with self._accounts_lock:
            between()
            with self._journal_lock:
                self._accounts[name] = self._accounts.get(name, 0) + amount
                self._journal.append((name, amount))

    def close(self, between=nothing):
        """Empties the journal and returns what was in it."""
        with self._accounts_lock:
            between()
            with self._journal_lock:
                closed = list(self._journal)
                self._journal.clear()
        return closed

    def balance(self, name):
        with self._accounts_lock:
            return self._accounts.get(name, 0)
