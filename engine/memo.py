"""What was computed once in a run, kept without taking memory."""

import pickle
import sqlite3
from collections.abc import Iterable
from typing import Any


class Memo:
    """A dictionary in a temporary database, on disk as soon as it is larger than a few megabytes.

    A run asks `missing` which keys it still has to compute, and stores what came out. A key counts
    as asked for from then on, so that it is computed once even while several batches are at work.
    The file has no name, is read by nobody else and goes with the object. One thread at a time.
    """

    def __init__(self) -> None:
        # "" is SQLite's temporary database
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE memo (key BLOB PRIMARY KEY, value) WITHOUT ROWID")

    def missing(self, keys: Iterable[str]) -> list[str]:
        """The keys that were not asked for before, each once; the caller will `put` them."""
        insert = "INSERT OR IGNORE INTO memo VALUES (?, NULL)"
        return [key for key in keys if self._database.execute(insert, (_blob(key),)).rowcount > 0]

    def put(self, key: str, value: Any) -> None:
        """Store a value."""
        update = "UPDATE memo SET value = ? WHERE key = ?"
        self._database.execute(update, (pickle.dumps(value, -1), _blob(key)))

    def get(self, key: str) -> Any:
        """The value of a key that was put."""
        select = "SELECT value FROM memo WHERE key = ?"
        return pickle.loads(self._database.execute(select, (_blob(key),)).fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def _blob(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")  # names of files may be no valid Unicode
