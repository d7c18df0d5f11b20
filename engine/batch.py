"""A table of pairs in, a table of answers out: in order, resumable, with a summary."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from common.errors import InputError
from common.tables import STREAM, format_of, growing, open_table, read_rows, rows_written
from engine.verifier import ANSWER_COLUMNS, CHUNK, PAIR_COLUMNS

Row = dict[str, Any]
Engine = Callable[[Iterable[tuple[str, str]], Path], Iterable[Row]]
"""Answers pairs, whose image paths are relative to a folder, with a row each in order."""


class Summary:
    """What became of the pairs so far."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.new = 0
        self._started = time.monotonic()

    def add(self, row: Row) -> None:
        """Count a row, as it is written or as it is read back."""
        verdict = str(row["verdict"]).lower() if row["verdict"] not in (None, "") else "undecided"
        self.counts["failed" if row["error"] else verdict] += 1

    @property
    def failed(self) -> int:
        """Rows without an answer."""
        return self.counts["failed"]

    def __str__(self) -> str:
        """One line."""
        kinds = ("true", "false", "undecided")
        parts = ", ".join(f"{self.counts[kind]} {kind}" for kind in kinds)
        answered = self.counts.total() - self.failed
        failed = f"; {self.failed} failed, see the column error" if self.failed else ""
        rate = self.new / max(time.monotonic() - self._started, 1e-9)
        return f"{answered} answered: {parts}{failed}; {rate:.0f} pairs/s"


def answer_table(
    engine: Engine,
    pairs: Path,
    output: Path,
    resume: bool = False,
    overwrite: bool = False,
    errors: str = "report",
) -> Summary:
    """Answer a table of pairs.

    Answers are on disk as soon as a batch of them is there, so a kill loses at most what was in
    flight. The whole table is read once before the first answer: a broken row is found at once.

    Args:
        engine: Answers pairs.
        pairs: A table with `PAIR_COLUMNS`, ``-`` for standard input.
        output: The table of answers, ``-`` for standard output.
        resume: Go on after what ``output`` holds.
        overwrite: Replace ``output``.
        errors: ``report`` puts a pair without an answer into its row; ``stop`` ends before it.

    Raises:
        InputError: If a table cannot be read or written, ``output`` exists and neither ``resume``
            nor ``overwrite`` is set, or a pair cannot be answered and ``errors`` is ``stop``.
    """
    from tqdm import tqdm

    check_output(pairs, output, resume, overwrite)
    total = None if pairs == STREAM else sum(1 for _ in read_rows(pairs, PAIR_COLUMNS))
    todo = ((row["text"], row["image"]) for row in read_rows(pairs, PAIR_COLUMNS))
    summary = Summary()
    if resume and output != STREAM:
        _skip(todo, rows_written(output, ANSWER_COLUMNS), summary, pairs, output)
    done = summary.counts.total()
    folder = Path() if pairs == STREAM else pairs.parent
    answers = iter(engine(todo, folder))
    with (
        open_table(output, ANSWER_COLUMNS, append=done > 0) as write,
        tqdm(total=total, unit=" pairs", initial=done, disable=None, smoothing=0.1) as bar,
    ):
        chunk: list[Row] = []

        def put() -> None:
            write(chunk)
            bar.update(len(chunk))
            chunk.clear()

        try:
            for row in answers:
                if errors == "stop" and row["error"]:
                    raise InputError(f"{pairs}: row {done + summary.new + 1}: {row['error']}")
                chunk.append(row)
                summary.add(row)
                summary.new += 1
                if len(chunk) == CHUNK:
                    put()
        finally:  # whatever ends it, what is there is kept
            put()
    return summary


def check_output(pairs: Path, output: Path, resume: bool, overwrite: bool) -> None:
    """Refuse tables that cannot be read or written before anything is loaded.

    Raises:
        InputError: See `answer_table`.
    """
    format_of(pairs), format_of(output)
    if output == STREAM:
        return
    if pairs != STREAM and pairs.resolve() == output.resolve():
        raise InputError(f"{output} is the table of pairs; name another file")
    if (output.exists() or growing(output).exists()) and not (resume or overwrite):
        raise InputError(f"{output} exists; add --resume to go on, or --overwrite to replace it")
    if not output.parent.is_dir():
        raise InputError(f"{output}: no folder {output.parent}")


def _skip(
    todo: Iterator[tuple[str, str]],
    written: Iterable[Row],
    summary: Summary,
    pairs: Path,
    output: Path,
) -> None:
    """Take the pairs that have an answer from those to do."""
    for number, row in enumerate(written, 1):
        if (row["text"], row["image"]) != next(todo, None):
            raise InputError(f"{output}: row {number} is not of {pairs}; name another file")
        summary.add(row)
