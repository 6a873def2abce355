"""Open files: the connections that one thread keeps for reading."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from pathlib import Path

from storage.sqlite.connection import Deadline, connect

CONNECTIONS_MAX = 32
"""Open files per thread: beyond that the one unused for longest is closed."""


class OpenFiles:
    """The files that one thread reads, the least used closed first.

    `busy_milliseconds`: how long a connection waits for a lock; None leaves it as it is.
    """

    def __init__(self, busy_milliseconds: int | None = None) -> None:
        self._busy_milliseconds = busy_milliseconds
        self._open: OrderedDict[Path, tuple[int, sqlite3.Connection, Deadline]] = OrderedDict()

    def get(self, path: Path, generation: int) -> tuple[sqlite3.Connection, Deadline]:
        """The connection to a file of this generation, opened when it is not."""
        found = self._open.get(path)
        if found is not None and found[0] == generation:
            self._open.move_to_end(path)
            return found[1], found[2]
        if found is not None:
            found[1].close()
            del self._open[path]
        deadline = Deadline()
        connection = connect(path, reading=True, deadline=deadline)
        if self._busy_milliseconds is not None:
            connection.execute(f"PRAGMA busy_timeout = {self._busy_milliseconds:d}")
        self._open[path] = (generation, connection, deadline)
        if len(self._open) > CONNECTIONS_MAX:
            self._open.popitem(last=False)[1][1].close()
        return connection, deadline

    def close(self) -> None:
        """Close all."""
        for _, connection, _ in self._open.values():
            connection.close()
        self._open.clear()
