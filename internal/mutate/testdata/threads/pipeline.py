"""A worker thread between two queues."""

import queue
import threading


class Pipeline:
    def __init__(self, work):
        self._work = work
        self._todo = queue.Queue()
        self._done = queue.Queue()
        self._worker = threading.Thread(target=self._run, daemon=True)
        self._worker.start()

    def submit(self, item):
        self._todo.put(item)

    def _run(self):
        while True:
            item = self._todo.get()
            try:
                if item is None:
                    return
                self._done.put(self._work(item))
            finally:
                self._todo.task_done()

    def drain(self):
        """Waits until all that was submitted is done and returns the results."""
        self._todo.join()
        results = []
        while not self._done.empty():
            results.append(self._done.get_nowait())
        return results

    def close(self):
        self._todo.put(None)
        self._worker.join(2)
        return not self._worker.is_alive()
