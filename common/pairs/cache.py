"""A dictionary of what was computed in a run, in a temporary SQLite database."""

import pickle
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any


class RunCache:
    """A dictionary in a temporary database, on disk as soon as it is larger than a few megabytes.

    A run asks `missing` which keys it still has to compute, and stores the results. A key counts as
    asked for from then on, so that it is computed once even while several batches are in flight.
    The file has no name, no other process can read it, and it goes with the object. One thread at a
    time.
    """

    def __init__(self) -> None:
        # "" is SQLite's temporary database
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE cache (key BLOB PRIMARY KEY, value) WITHOUT ROWID")

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Return the keys not asked for before, each once; the caller will `put` them."""
        insert = "INSERT OR IGNORE INTO cache VALUES (?, NULL)"
        return [key for key in keys if self._database.execute(insert, (_blob(key),)).rowcount > 0]

    def put(self, values: Mapping[str, Any]) -> None:
        """Store values by key."""
        rows = ((pickle.dumps(value, -1), _blob(key)) for key, value in values.items())
        self._database.executemany("UPDATE cache SET value = ? WHERE key = ?", rows)

    def get(self, key: str) -> Any:
        """Return the value of a key that was put."""
        select = "SELECT value FROM cache WHERE key = ?"
        return pickle.loads(self._database.execute(select, (_blob(key),)).fetchone()[0])

    def close(self) -> None:
        """Release the file."""
        self._database.close()


def _blob(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")  # names of files may be no valid Unicode
