"""A table of pairs in, a table of answers out: in order, resumable, with a summary."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from common.errors import InputError
from common.pairs.model import Row
from common.pairs.stream import CHUNK
from common.tables import (
    STREAM,
    as_text,
    find_column,
    format_of,
    open_rows,
    open_table,
    partial_file,
    rows_written,
)

TEXT_COLUMNS, IMAGE_COLUMNS = ("text", "caption"), ("image", "path")

Rows = Callable[[Iterable[tuple[str, str]], Path], Iterable[Row]]
"""Answers pairs, whose image paths are relative to a folder, with a row each in order."""


class Summary:
    """Counts of the pairs by outcome, which the first column of type bool tells."""

    def __init__(self, columns: Mapping[str, type]):
        self._outcome = next((name for name, kind in columns.items() if kind is bool), None)
        self.counts: Counter[str] = Counter()
        self.new = 0
        self._started = time.monotonic()

    def add(self, row: Row) -> None:
        """Count a row, as it is written or as it is read back."""
        value = row[self._outcome] if self._outcome else "answered"
        outcome = "undecided" if value in (None, "") else str(value).lower()
        self.counts["failed" if row["error"] else outcome] += 1

    @property
    def failed(self) -> int:
        """Rows without an answer."""
        return self.counts["failed"]

    def __str__(self) -> str:
        """One line."""
        answered = self.counts.total() - self.failed
        outcomes = ("true", "false", "undecided") if self._outcome else ()
        parts = ": " * bool(outcomes) + ", ".join(
            f"{self.counts[kind]} {kind}" for kind in outcomes
        )
        failed = f"; {self.failed} failed, see the column error" if self.failed else ""
        rate = self.new / max(time.monotonic() - self._started, 1e-9)
        return f"{answered} answered{parts}{failed}; {rate:.0f} pairs/s"


class PairTable:
    """A table of pairs, read as needed; one on disk is read once before: broken rows show at once.

    Args:
        path: The table, ``-`` for standard input.
        text: Its column of texts; if None, ``text`` or ``caption``.
        image: That of paths; if None, ``image`` or ``path``.

    Attributes:
        further: Its other columns with their types.
        total: The number of rows, None if it is not known.

    Raises:
        InputError: If it cannot be read or lacks a column.
    """

    def __init__(self, path: Path, text: str | None = None, image: str | None = None):
        self.path, self.total = path, None
        names, self._rows = open_rows(path)
        self._text = find_column(path, names, (text,) if text else TEXT_COLUMNS)
        self._image = find_column(path, names, (image,) if image else IMAGE_COLUMNS)
        types: dict[str, set[type]] = {name: set() for name in names}
        if path != STREAM:
            self.total = 0
            for row in self._rows:
                self.total += 1
                self._pair(row)
                for name, value in row.items():
                    types.setdefault(name, set()).add(type(value))
            _, self._rows = open_rows(path)
        own = (self._text, self._image)
        self.further = {name: _column_type(types[name]) for name in types if name not in own}

    def __iter__(self) -> Iterator[tuple[tuple[str, str], Row]]:
        """Return each pair with what else is in its row; can be called once."""
        for row in self._rows:
            if new := row.keys() - self.further.keys() - {self._text, self._image}:
                raise InputError(f"{self.path}: the first row has no {' or '.join(sorted(new))}")
            yield self._pair(row), {name: row.get(name) for name in self.further}

    def _pair(self, row: Row) -> tuple[str, str]:
        text, image = pair = row.get(self._text), row.get(self._image)
        if any(isinstance(value, bytes | dict | list) for value in pair):  # a photo itself
            raise InputError(f"{self.path}: a text or a path that is no string but nested or bytes")
        return as_text(text), as_text(image)


def _column_type(types: set[type]) -> type:
    types = types - {type(None)}
    if types == {int, float}:
        return float
    return types.pop() if len(types) == 1 and types <= {bool, int, float} else str


def answer_table(
    rows: Rows,
    columns: Mapping[str, type],
    pairs: Path,
    output: Path,
    resume: bool = False,
    overwrite: bool = False,
    errors: str = "report",
    text_column: str | None = None,
    image_column: str | None = None,
) -> Summary:
    """Answer a table of pairs.

    A row of answers carries every further column of ``pairs``. Answers are on disk as soon as a
    batch of them is there, so a kill loses at most what was in flight.

    Args:
        rows: Answers pairs.
        columns: The columns of answers with their types, see `PairModel`.
        pairs: A table, see `PairTable`.
        output: The table of answers, ``-`` for standard output.
        resume: Go on after what ``output`` holds.
        overwrite: Replace ``output``.
        errors: ``report`` puts a pair without an answer into its row; ``stop`` ends before it.
        text_column: See `PairTable`.
        image_column: See `PairTable`.

    Raises:
        InputError: If a table cannot be read or written, ``output`` exists and neither ``resume``
            nor ``overwrite`` is set, is not the answers to these pairs, or a pair cannot be
            answered and ``errors`` is ``stop``. An ``output`` that is refused keeps every byte.
    """
    from tqdm import tqdm

    check_output(pairs, output, resume, overwrite)
    table = PairTable(pairs, text_column, image_column)
    for name in table.further:
        if name in columns:
            raise InputError(f"{pairs}: the column {name} is one of the answers; rename it")
    todo, summary = iter(table), Summary(columns)
    columns = {**columns, **table.further}
    written = rows_written(output, list(columns)) if resume and output != STREAM else ()
    for number, row in enumerate(written, 1):
        if (row["text"], row["image"]) != next(todo, (None,))[0]:
            raise InputError(f"{output}: row {number} is not of {pairs}; name another file")
        summary.add(row)
    done = summary.counts.total()
    carried: deque[Row] = deque()  # of the pairs in flight

    def given() -> Iterator[tuple[str, str]]:
        for pair, further in todo:
            carried.append(further)
            yield pair

    answers = iter(rows(given(), Path() if pairs == STREAM else pairs.parent))
    with (
        open_table(output, columns, append=done > 0) as write,
        tqdm(total=table.total, unit=" pairs", initial=done, disable=None, smoothing=0.1) as bar,
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
                chunk.append({**row, **carried.popleft()})
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
