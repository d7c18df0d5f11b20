"""Tables on disk, row by row: csv, tsv, jsonl and parquet by the file's ending.

``-`` is standard input and output: csv, tsv or jsonl as its first line looks, and csv.
"""

import csv
import io
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from common.errors import InputError

if TYPE_CHECKING:
    from types import ModuleType

    import pyarrow

FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")
STREAM = Path("-")

Row = dict[str, Any]

csv.field_size_limit(2**24)  # characters; the default of 131,072 is less than a long text


def format_of(path: Path) -> str:
    """The format of a file: its ending, one of `FORMATS`.

    Raises:
        InputError: If the ending is none of these.
    """
    suffix = ".csv" if path == STREAM else path.suffix.lower()
    if suffix not in FORMATS:
        raise InputError(f"{path}: unknown ending; expected one of {', '.join(FORMATS)}")
    return suffix


def read_rows(path: Path, columns: Iterable[str]) -> Iterator[dict[str, str]]:
    """Read the rows of a table as they are needed.

    Args:
        path: The file.
        columns: Columns that must be there.

    Yields:
        Each row as text by column; a missing value is an empty text, and what is no valid Unicode
        becomes the replacement character.

    Raises:
        InputError: If the file cannot be read, lacks a column or breaks off; the message names the
            line.
    """
    rows = _read_parquet(path, columns) if format_of(path) == ".parquet" else _read(path, columns)
    for row in rows:
        yield {k: "" if v is None else _valid(str(v)) for k, v in row.items()}


def _valid(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON can spell and UTF-8 cannot."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _read(path: Path, columns: Iterable[str]) -> Iterator[Row]:
    number = 0
    try:
        with _open_text(path) as file:
            first = next(file, "")
            lines = itertools.chain([first], file)
            kind = _guess(first) if path == STREAM else format_of(path)
            if kind == ".jsonl":
                for line in filter(str.strip, lines):
                    number += 1
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise ValueError("expected an object")
                    _check_columns(path, row, columns)
                    yield row
            else:
                reader = csv.DictReader(lines, delimiter=_DELIMITERS[kind], strict=True)
                _check_columns(path, reader.fieldnames or (), columns)
                for row in reader:
                    number = reader.line_num
                    if None in row:
                        fields = len(reader.fieldnames) + len(row[None])
                        raise ValueError(f"{fields} fields, {len(reader.fieldnames)} columns")
                    yield row
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text after line {number}") from error
    except (csv.Error, ValueError) as error:
        raise InputError(f"{path}: broken row near line {number} ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def _guess(line: str) -> str:
    """The format of a stream by its first line."""
    if line.startswith("{"):
        return ".jsonl"
    return ".tsv" if "\t" in line else ".csv"


def _open_text(path: Path) -> IO[str]:
    if path == STREAM:
        return io.TextIOWrapper(sys.stdin.buffer, newline="", encoding="utf-8-sig")
    return open(path, newline="", encoding="utf-8-sig")


def _read_parquet(path: Path, columns: Iterable[str]) -> Iterator[Row]:
    parquet = _pyarrow(path)
    try:
        with parquet.ParquetFile(path) as file:
            _check_columns(path, file.schema_arrow.names, columns)
            for batch in file.iter_batches(1024):
                yield from batch.to_pylist()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:  # ArrowInvalid is one
        raise InputError(f"{path}: no readable parquet ({str(error).splitlines()[0]})") from error


def _pyarrow(path: Path) -> "ModuleType":
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(f"{path}: needs pyarrow (pip install pyarrow)") from error
    return parquet


def _check_columns(path: Path, found: Any, columns: Iterable[str]) -> None:
    missing = [name for name in columns if name not in found]
    if missing:
        expected = ",".join(columns)
        raise InputError(f"{path}: no column {' or '.join(missing)}; expected {expected}")


def partial_file(path: Path) -> Path:
    """The file that grows while a table is written.

    It is the table itself, but for parquet, which has its directory at the end: a kill would leave
    nothing readable. Its rows are kept as JSON Lines beside it until all are there.
    """
    return path.with_name(f"{path.name}.rows.jsonl") if format_of(path) == ".parquet" else path


@contextmanager
def open_table(
    path: Path, columns: Mapping[str, type], append: bool = False
) -> Iterator[Callable[[Sequence[Row]], None]]:
    """Open a table for writing.

    Args:
        path: The file; its ending gives the format.
        columns: The columns in order, with their types.
        append: Go on after the rows that `rows_written` found.

    Yields:
        A function that writes rows and hands them to the operating system.

    Raises:
        InputError: If the file cannot be written or has an unknown ending.
    """
    if format_of(path) == ".parquet":
        _pyarrow(path)  # before any work is done
    file = partial_file(path)
    try:
        opened = (
            nullcontext(sys.stdout)
            if path == STREAM
            else open(file, "a" if append else "w", newline="", encoding="utf-8")  # noqa: SIM115
        )
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    with opened as stream:
        separator = _DELIMITERS.get(format_of(file))
        writer = csv.writer(stream, delimiter=separator or ",", lineterminator="\n")
        if separator and not append:
            writer.writerow(columns)

        def write(rows: Sequence[Row]) -> None:
            for row in rows:
                if separator:
                    writer.writerow([_cell(row[name]) for name in columns])
                else:
                    print(json.dumps(row, ensure_ascii=False), file=stream)
            stream.flush()

        yield write
    if file != path:
        _write_parquet(file, path, columns)


def _write_parquet(rows: Path, path: Path, columns: Mapping[str, type]) -> None:
    """Turn JSON Lines into parquet, in blocks."""
    import pyarrow

    schema = arrow_schema(columns)
    unfinished = path.with_name(f"{path.name}.unfinished")
    with (
        open(rows, encoding="utf-8") as lines,
        _pyarrow(path).ParquetWriter(unfinished, schema) as writer,
    ):
        while block := [json.loads(line) for line in itertools.islice(lines, 10_000)]:
            writer.write_table(pyarrow.Table.from_pylist(block, schema))
    unfinished.replace(path)
    rows.unlink()


def arrow_schema(columns: Mapping[str, type]) -> "pyarrow.Schema":
    """Columns as pyarrow knows them."""
    import pyarrow

    kinds = {str: pyarrow.string(), bool: pyarrow.bool_(), float: pyarrow.float64()}
    return pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])


def _cell(value: Any) -> Any:
    """A value as csv shows it: JSON's spelling of booleans, nothing for null."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def rows_written(path: Path, columns: Iterable[str]) -> Iterator[dict[str, str]]:
    """Make what was written of a table fit to be gone on with, and read it.

    Cuts off a last row that was not written to its end. Afterwards `open_table` can append.

    Raises:
        InputError: If the file cannot be read or is another table.
    """
    file = partial_file(path)
    if file.exists():
        _drop_broken_end(file)
    elif path.exists():  # complete, but there may be more rows by now
        _to_jsonl(path, file)
    return read_rows(file, columns) if file.exists() and file.stat().st_size else iter(())


def _to_jsonl(path: Path, rows: Path) -> None:
    """Turn parquet into JSON Lines."""
    unfinished = rows.with_suffix(".unfinished")
    with open(unfinished, "w", encoding="utf-8") as file:
        for row in _read_parquet(path, ()):
            print(json.dumps(row, ensure_ascii=False), file=file)
    unfinished.replace(rows)


def _drop_broken_end(path: Path) -> None:
    """Cut off a last row that was not written to its end, even one that stops inside a quote."""
    quoted = format_of(path) != ".jsonl"  # JSON Lines have no line break inside a row
    complete = position = quotes = 0
    with open(path, "rb+") as file:
        for line in file:
            position += len(line)
            quotes += line.count(b'"')
            if line.endswith(b"\n") and not (quoted and quotes % 2):
                complete = position
        file.truncate(complete)
