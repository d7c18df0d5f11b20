"""Work on all cores, results in order.

Models run on one thread each and many batches run side by side: reading photos, computing and the
Python between them then overlap by themselves, and nothing waits for the slowest thread of a batch.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2  # items in flight for each thread: one at work, one waiting


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    """``map`` in threads, with a bounded number of items in flight.

    Items are taken in the thread that takes the results, and only as results are taken. If
    ``items`` raises, the results of what came before are given first.

    Args:
        function: Worth a thread: it spends its time outside the interpreter's lock.
        items: Its arguments.
        threads: How many run side by side; 1 is the caller's own.
    """
    if threads == 1:
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    source, broken = iter(items), None
    pool = ThreadPoolExecutor(threads)
    try:
        while True:
            while broken is None and len(waiting) < AHEAD * threads:
                try:
                    waiting.append(pool.submit(function, next(source)))
                except Exception as error:  # StopIteration is one
                    broken = error
            if not waiting:
                break
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
    if broken is not None and not isinstance(broken, StopIteration):
        raise broken


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Cut a stream into lists; if it breaks, what came before is given first."""
    chunk: list[Item] = []
    try:
        for item in items:
            chunk.append(item)
            if len(chunk) == size:
                yield chunk
                chunk = []
    except Exception:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk
