"""Tables on disk, row by row: csv, tsv and jsonl by the file's ending."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.errors import InputError

DELIMITERS = {".csv": ",", ".tsv": "\t", ".jsonl": None}

csv.field_size_limit(2**24)  # characters; the default of 131,072 is less than a long text


def delimiter(path: Path) -> str | None:
    """The column delimiter of a file, None for JSON Lines.

    Raises:
        InputError: If the ending is none of `DELIMITERS`.
    """
    suffix = path.suffix.lower()
    if suffix not in DELIMITERS:
        raise InputError(f"{path}: unknown ending; expected one of {', '.join(DELIMITERS)}")
    return DELIMITERS[suffix]


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Read the rows of a table as they are needed.

    Args:
        path: The file.
        columns: Columns that must be there.

    Yields:
        Each row as text by column; a missing value is an empty text.

    Raises:
        InputError: If the file cannot be read, lacks a column or breaks off; the message names the
            line.
    """
    separator = delimiter(path)
    number = 0
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            if separator is None:
                for line in file:
                    number += 1
                    row = json.loads(line)
                    _check_columns(path, row, columns)
                    yield {k: "" if v is None else str(v) for k, v in row.items()}
            else:
                reader = csv.DictReader(file, delimiter=separator, strict=True)
                _check_columns(path, reader.fieldnames or (), columns)
                for row in reader:
                    number = reader.line_num
                    yield {k: v or "" for k, v in row.items() if k is not None}
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text after line {number}") from error
    except (csv.Error, ValueError, AttributeError) as error:
        raise InputError(f"{path}: broken row near line {number} ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _check_columns(path: Path, found: Any, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in found]
    if missing:
        raise InputError(f"{path}: no column {' or '.join(missing)}; expected {','.join(columns)}")


@contextmanager
def open_table(
    path: Path, columns: Sequence[str], append: bool = False
) -> Iterator[Callable[[Sequence[dict[str, Any]]], None]]:
    """Open a table for writing.

    Args:
        path: The file; its ending gives the format.
        columns: The columns in order.
        append: Go on after complete rows already there.

    Yields:
        A function that writes rows and hands them to the operating system.

    Raises:
        InputError: If the file cannot be written or has an unknown ending.
    """
    separator = delimiter(path)
    try:
        file = open(path, "a" if append else "w", newline="", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    with file:
        writer = csv.writer(file, delimiter=separator or ",", lineterminator="\n")
        if separator and not append:
            writer.writerow(columns)

        def write(rows: Sequence[dict[str, Any]]) -> None:
            for row in rows:
                if separator:
                    writer.writerow([_cell(row[name]) for name in columns])
                else:
                    print(json.dumps(row, ensure_ascii=False), file=file)
            file.flush()

        yield write


def _cell(value: Any) -> Any:
    """A value as csv shows it: JSON's spelling of booleans, nothing for null."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def drop_broken_end(path: Path) -> None:
    """Cut off a last row that was not written to its end, even one that stops inside a quote."""
    quoted = delimiter(path) is not None  # JSON Lines have no line break inside a row
    complete = position = quotes = 0
    with open(path, "rb+") as file:
        for line in file:
            position += len(line)
            quotes += line.count(b'"')
            if line.endswith(b"\n") and not (quoted and quotes % 2):
                complete = position
        file.truncate(complete)
