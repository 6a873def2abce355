"""Whose turn it is to write a file that several processes have open.

SQLite lets whoever asks at the right moment begin, so a busy process could keep the others out for seconds. Here a
writer first takes the turn (a lock on a file beside the database), waits with it for SQLite's own lock, and gives the
turn back as soon as it has begun. Whoever has just committed must take the turn again, which the one that waits holds.
The operating system frees the turn of a process that dies.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import IO

from storage.errors import Busy
from storage.sqlite.errors import is_busy

try:
    import fcntl
except ImportError:  # pragma: no cover  # Windows: one process per data folder; SQLite's own lock still holds
    fcntl = None  # type: ignore[assignment]

_SHORT_SECONDS = 0.0002
_LONG_SECONDS = 0.005


class Turn:
    """The queue of the processes that write one file."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] | None = path.open("ab") if fcntl is not None else None

    def begin(self, connection: sqlite3.Connection, seconds: float) -> None:
        """Begin a write transaction. Raises `Busy` when the file was locked for so many seconds."""
        deadline = time.monotonic() + seconds
        self._take(deadline)
        try:
            wait = _SHORT_SECONDS
            while True:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    if not is_busy(error):
                        raise
                    if time.monotonic() > deadline:
                        raise Busy() from error
                time.sleep(wait)
                wait = min(wait * 2, _LONG_SECONDS)
        finally:
            self._give()

    def is_free(self) -> bool:
        """Whether nobody writes or waits to, as far as processes queue; nothing is waited for."""
        if self._file is None:
            return True
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._give()
        return True

    def close(self) -> None:
        """Leave the queue."""
        if self._file is not None:
            self._file.close()

    def _take(self, deadline: float) -> None:
        if self._file is None:
            return
        wait = _SHORT_SECONDS
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise Busy() from error
            time.sleep(wait)
            wait = min(wait * 2, _LONG_SECONDS)

    def _give(self) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
