"""A table of pairs in, a table of answers out: in order, resumable, with a summary."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from common.errors import InputError
from common.pairs.model import PAIR_COLUMNS, Row
from common.pairs.stream import CHUNK
from common.tables import STREAM, format_of, open_table, partial_file, read_rows, rows_written

Rows = Callable[[Iterable[tuple[str, str]], Path], Iterable[Row]]
"""Answers pairs, whose image paths are relative to a folder, with a row each in order."""


class Summary:
    """Counts of the pairs by outcome.

    Args:
        columns: See `PairModel`.
    """

    def __init__(self, columns: Mapping[str, type]):
        self._outcome = next((name for name, kind in columns.items() if kind is bool), None)
        self.counts: Counter[str] = Counter()
        self.new = 0
        self._started = time.monotonic()

    def add(self, row: Row) -> None:
        """Count a row, as it is written or as it is read back."""
        if row["error"]:
            outcome = "failed"
        elif self._outcome is None:
            outcome = "answered"
        else:
            value = row[self._outcome]
            outcome = "undecided" if value in (None, "") else str(value).lower()
        self.counts[outcome] += 1

    @property
    def failed(self) -> int:
        """Rows without an answer."""
        return self.counts["failed"]

    def __str__(self) -> str:
        """One line."""
        answered = self.counts.total() - self.failed
        parts = ""
        if self._outcome:
            outcomes = ("true", "false", "undecided")
            parts = ": " + ", ".join(f"{self.counts[kind]} {kind}" for kind in outcomes)
        failed = f"; {self.failed} failed, see the column error" if self.failed else ""
        rate = self.new / max(time.monotonic() - self._started, 1e-9)
        return f"{answered} answered{parts}{failed}; {rate:.0f} pairs/s"


def answer_table(
    rows: Rows,
    columns: Mapping[str, type],
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
        rows: Answers pairs.
        columns: The columns of ``output`` with their types, see `PairModel`.
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
    summary = Summary(columns)
    if resume and output != STREAM:
        _skip(todo, rows_written(output, columns), summary, pairs, output)
    done = summary.counts.total()
    folder = Path() if pairs == STREAM else pairs.parent
    answers = iter(rows(todo, folder))
    with (
        open_table(output, columns, append=done > 0) as write,
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
    if (output.exists() or partial_file(output).exists()) and not (resume or overwrite):
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
