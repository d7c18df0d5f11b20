"""Tables on disk, row by row: csv, tsv, jsonl and parquet by the file's ending.

``-`` is standard input and output: csv, tsv or jsonl as its first line looks, and csv.
"""

import csv
import io
import itertools
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

from common.errors import InputError

FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")
STREAM = Path("-")

Row = dict[str, Any]

MAX_FIELD = 2**24  # characters of a field; csv's default of 131,072 is less than a long text


def format_of(path: Path) -> str:
    """The format of a file: its ending, one of `FORMATS`.

    Raises:
        InputError: If the ending is none of these.
    """
    suffix = ".csv" if path == STREAM else path.suffix.lower()
    if suffix not in FORMATS:
        raise InputError(f"{path}: unknown ending; expected one of {', '.join(FORMATS)}")
    return suffix


def open_rows(path: Path) -> tuple[list[str], Iterator[Row]]:
    """Return the columns of a table and its rows, which are read as they are needed.

    Columns of JSON Lines are those of the first row; values are as they are, in csv all texts.

    Raises:
        InputError: If the file cannot be read, breaks off or has a column twice; the message names
            the line.
    """
    rows = _read_parquet(path) if format_of(path) == ".parquet" else _read(path)
    return next(rows), rows


def find_column(path: Path, found: Sequence[str], names: Sequence[str]) -> str:
    """Return the first of some names that a table has as a column.

    Raises:
        InputError: If it has none of them.
    """
    for name in names:
        if name in found:
            return name
    columns = ",".join(found) or "no columns"
    raise InputError(f"{path}: no column {' or '.join(names)}; found {columns}")


def as_text(value: Any) -> str:
    """Return a value as text: null is empty, what is no valid Unicode the replacement character."""
    text = "" if value is None else str(value)
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _read(path: Path) -> Iterator[Any]:
    form = {"newline": "", "encoding": "utf-8-sig"}
    try:
        stdin = path == STREAM
        with io.TextIOWrapper(sys.stdin.buffer, **form) if stdin else open(path, **form) as file:
            yield from _parse(path, file)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _parse(path: Path, lines: Iterable[str]) -> Iterator[Any]:
    """Yield the columns of a table, then its rows."""
    counter = itertools.count()  # counts the lines taken
    csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD))
    try:
        lines = map(lambda line, _: line, lines, counter)
        first = next(lines, "")
        lines = itertools.chain([first], lines)
        kind = _guess(first) if path == STREAM else format_of(path)
        if kind == ".jsonl":
            rows = (json.loads(x, object_pairs_hook=_object) for x in lines if x.strip())
            head = next(rows, {})
            yield list(head)
            for row in itertools.chain([head] * bool(head), rows):
                if not isinstance(row, dict):
                    raise ValueError("expected an object")
                yield row
        else:
            reader = csv.DictReader(lines, delimiter=_DELIMITERS[kind], strict=True)
            yield _distinct(reader.fieldnames or ())
            for row in reader:
                if None in row:
                    fields = len(reader.fieldnames) + len(row[None])
                    raise ValueError(f"{fields} fields, {len(reader.fieldnames)} columns")
                yield row
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text in line {next(counter) + 1} or after") from error
    except (csv.Error, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: broken row near line {next(counter)} ({error})") from error


def _object(pairs: list[tuple[str, Any]]) -> Row:
    _distinct([name for name, _ in pairs])
    return dict(pairs)


def _distinct(names: Sequence[str]) -> list[str]:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(f"the column {twice[0]!r} is there twice")
    return list(names)


_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def _guess(line: str) -> str:
    return ".jsonl" if line.startswith("{") else ".tsv" if "\t" in line else ".csv"


def _read_parquet(path: Path) -> Iterator[Any]:
    """Yield the columns of a table, then its rows."""
    parquet = _pyarrow(path)
    try:
        with parquet.ParquetFile(path) as file:
            yield _distinct(file.schema_arrow.names)
            for batch in file.iter_batches(1024):
                yield from batch.to_pylist()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:  # ArrowInvalid is one
        raise InputError(f"{path}: no readable parquet ({str(error).splitlines()[0]})") from error


def _pyarrow(path: Path) -> ModuleType:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(f"{path}: needs pyarrow (pip install pyarrow)") from error
    return parquet


def partial_file(path: Path) -> Path:
    """The file that grows while a table is written.

    It is the table itself, but for parquet, which has its directory at the end: a kill would leave
    nothing readable. Its rows are kept as JSON Lines beside it until all are there.
    """
    return path.with_name(f"{path.name}.rows.jsonl") if format_of(path) == ".parquet" else path


@contextmanager
def open_table(
    path: Path, columns: Mapping[str, type], append: bool = False
) -> Iterator[Callable[[Iterable[Row]], None]]:
    """Open a table for writing.

    Args:
        path: The file; its ending gives the format.
        columns: The columns in order, with their types.
        append: Go on after the rows that `rows_written` found; a last one that was not written to
            its end is cut off.

    Yields:
        A function that writes rows and hands them to the operating system.

    Raises:
        InputError: If the file cannot be written or has an unknown ending.
    """
    if format_of(path) == ".parquet":
        _pyarrow(path)  # before any work is done
    file = partial_file(path)
    form = {"newline": "", "encoding": "utf-8", "errors": "backslashreplace"}  # JSON's own escape
    try:
        if append and not file.exists():  # parquet that was complete
            with open_table(file, columns) as write:
                write(itertools.islice(_read_parquet(path), 1, None))
        elif append:
            os.truncate(file, _complete(file))
        stdout = path == STREAM
        opened = nullcontext(sys.stdout) if stdout else file.open("a" if append else "w", **form)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    with opened as stream:
        separator = _DELIMITERS.get(format_of(file))
        writer = csv.writer(stream, delimiter=separator or ",", lineterminator="\n")
        if separator and not append:
            writer.writerow(columns)

        def write(rows: Iterable[Row]) -> None:
            for row in rows:
                if separator:
                    writer.writerow([_cell(row[name]) for name in columns])
                else:
                    print(_json({name: row[name] for name in columns}), file=stream)
            stream.flush()

        yield write
    if file != path:
        _write_parquet(file, path, columns)


def _write_parquet(rows: Path, path: Path, columns: Mapping[str, type]) -> None:
    """Turn JSON Lines into parquet, in blocks."""
    import pyarrow

    kinds = {str: "string", bool: "bool", float: "double", int: "int64"}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
    texts = [name for name, kind in columns.items() if kind is str]
    unfinished = path.with_name(f"{path.name}.unfinished")
    with (
        open(rows, encoding="utf-8") as lines,
        _pyarrow(path).ParquetWriter(unfinished, schema) as writer,
    ):
        while block := [json.loads(line) for line in itertools.islice(lines, 10_000)]:
            for row in block:
                row.update((k, as_text(_cell(row[k]))) for k in texts if row[k] is not None)
            writer.write_table(pyarrow.Table.from_pylist(block, schema))
    unfinished.replace(path)
    rows.unlink()


def _cell(value: Any) -> Any:
    """Return a value as csv shows it: JSON's spelling, nothing for null."""
    if value is None:
        return ""
    return _json(value) if isinstance(value, (bool, list, dict)) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def rows_written(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Read what was written of a table, but for a last row that was not written to its end.

    Nothing is changed: `open_table` cuts that row off.

    Raises:
        InputError: If the file cannot be read or is a table of other columns.
    """
    file = partial_file(path)
    if file.exists():
        rows = _read_complete(file, columns)
    elif path.exists():  # parquet that is complete, but there may be more rows by now
        rows = _read_parquet(path)
    else:
        return
    other = InputError(f"{path}: not a table of {','.join(columns)}; name another file")
    if next(rows) != columns:
        raise other
    for row in rows:
        if list(row) != columns:  # JSON Lines
            raise other
        yield row


def _read_complete(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    """Yield the columns of a table, then the rows that were written to their end."""
    end = _complete(path)
    with open(path, "rb") as file:
        if end:
            lines = iter(lambda: file.readline() if file.tell() < end else b"", b"")
            yield from _parse(path, (line.decode() for line in lines))
            return
        separator = _DELIMITERS.get(format_of(path))  # killed in its first line, or somebody's file
        start = f"{separator.join(columns)}\n" if separator else _json({columns[0]: ""})[:-2]
        yield columns if start.encode().startswith(file.read(len(start.encode()))) else []


def _complete(path: Path) -> int:
    """Return where a last row begins that was not written to its end; it may stop in a quote."""
    quoted = format_of(path) != ".jsonl"  # JSON Lines have no line break inside a row
    complete = position = quotes = 0
    with open(path, "rb") as file:
        for line in file:
            position += len(line)
            quotes += line.count(b'"')
            if line.endswith(b"\n") and not (quoted and quotes % 2):
                complete = position
    return complete
