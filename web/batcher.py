"""Pairs of many requests, answered together."""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future

from common.pairs.model import Pair
from common.pairs.stream import CHUNK
from common.parallel import cores
from engine.answer import Answer
from engine.verifier import Verifier


class Batcher:
    """A few threads that take what is waiting and answer it.

    A thread that becomes free takes its share of the waiting pairs as one batch: few when there is
    little to do, many when there is much, and nobody waits for a batch to fill. There are as many
    as cores if ``threads`` is None.
    """

    def __init__(self, verifier: Verifier, threads: int | None = None):
        self.verifier = verifier
        self._waiting: deque[tuple[Pair, Future[Answer]]] = deque()
        self._changed = threading.Condition()
        self._open = True
        self._threads = [threading.Thread(target=self._work) for _ in range(threads or cores())]
        for thread in self._threads:
            thread.start()

    def submit(self, pairs: Sequence[Pair]) -> list[Future[Answer]]:
        """Queue pairs; a future that is cancelled before its turn costs nothing.

        Raises:
            RuntimeError: After `close`.
        """
        jobs = [(pair, Future()) for pair in pairs]
        with self._changed:
            if not self._open:
                raise RuntimeError("closed")
            self._waiting.extend(jobs)
            self._changed.notify(len(jobs))
        return [future for _, future in jobs]

    def close(self) -> None:
        """Answer what is waiting, then stop."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _take(self) -> list[tuple[Pair, Future[Answer]]]:
        """Return this thread's share of what is waiting; nothing once it is closed and done."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._open)
            share = min(CHUNK, -(-len(self._waiting) // len(self._threads)))
            return [self._waiting.popleft() for _ in range(share)]

    def _work(self) -> None:
        while jobs := self._take():
            self._answer([job for job in jobs if job[1].set_running_or_notify_cancel()])

    def _answer(self, jobs: list[tuple[Pair, Future[Answer]]]) -> None:
        try:
            answers = list(self.verifier.verify_many([pair for pair, _ in jobs]))
            done = list(zip(jobs, answers, strict=True))
        except BaseException as error:  # a defect: each pair alone shows whose it is
            if len(jobs) == 1:
                jobs[0][1].set_exception(error)
            else:
                for job in jobs:
                    self._answer([job])
        else:
            for (_, future), answer in done:
                future.set_result(answer)
