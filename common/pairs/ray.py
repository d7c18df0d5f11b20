"""Answer pairs on a Ray cluster: one model per core or GPU, rows in order.

    pip install -r requirements-cluster.txt
    python pipeline.py --pairs pairs.csv --output answers.csv --engine ray      # this machine
    RAY_ADDRESS=head:6379 python pipeline.py … --engine ray                     # a cluster

The driver reads the table, hands blocks of it to actors, a bounded number at a time, and writes the
rows, so that order, memory, ``--resume`` and a kill mean what they mean on one machine. A worker
that dies is started again and answers its block again. On a cluster, every node needs the
repository at the same path and the photos under the paths of the table.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from common.errors import InputError
from common.pairs.model import PairModel, Row
from common.pairs.stream import answer_pairs
from common.pairs.table import Rows
from common.parallel import chunks, ordered_map
from common.paths import ROOT

BLOCK = 128  # pairs in a block: what a dying worker loses, a few seconds of work


class Answerer:
    """An actor with the model that ``load`` opens, on one core; paths are relative to a folder."""

    def __init__(self, load: Callable[[], PairModel], folder: Path):
        self.model, self.folder = load(), folder

    def rows(self, pairs: Iterable[tuple[str, str]]) -> list[Row]:
        """Answer a block of pairs with a block of rows."""
        return [answer.to_row() for answer in answer_pairs(self.model, pairs, self.folder, 1)]


def ray_rows(load: Callable[[], PairModel], device: str) -> Rows:
    """Return a function for `common.pairs.table.answer_table` that answers on Ray.

    Args:
        load: Opens the model; it is sent to the workers, so its paths must be absolute.
        device: ``auto``, ``cpu`` or ``cuda``; with ``cuda`` each actor gets one GPU.

    Raises:
        InputError: If Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no report to anybody
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
    except ImportError as error:
        raise InputError(
            f"--engine ray: needs {error.name}; pip install -r requirements-cluster.txt"
        ) from error

    def answers(pairs: Iterable[tuple[str, str]], folder: Path) -> Iterator[Row]:
        if not ray.is_initialized():
            quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
            environment = {"env_vars": {"PYTHONPATH": str(ROOT)}}
            ray.init(runtime_env=environment, include_dashboard=False, **quiet)
        unit = "GPU" if device == "cuda" else "CPU"
        count = max(1, int(ray.cluster_resources().get(unit, 1)))
        remote = ray.remote(**{f"num_{unit.lower()}s": 1}, max_restarts=-1, max_task_retries=-1)
        # A block waits at its actor, so that none is idle between two; hence two threads for each.
        idle: SimpleQueue[Any] = SimpleQueue()
        started = [remote(Answerer).remote(load, folder.resolve()) for _ in range(count)]
        for actor in started * 2:
            idle.put(actor)

        def answered(block: list[tuple[str, str]]) -> list[Row]:
            actor = idle.get()
            try:
                return ray.get(actor.rows.remote(block))
            finally:
                idle.put(actor)

        for rows in ordered_map(answered, chunks(pairs, BLOCK), 2 * count):
            yield from rows

    return answers
