"""What was committed goes from the write-ahead log into the file, by a thread of its own beside the writers.

SQLite would do it within the commit that makes the log longer than a thousand pages: every few groups one waited ten
times as long as the others, and everybody behind it. A checkpoint of another connection (PASSIVE) waits for nobody and
keeps nobody waiting. Only when the log has grown beyond `LOG_PAGES_MAX` does a commit do what is left, after which the
log begins anew.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from storage.errors import StorageError
from storage.sqlite.files import OpenFiles

CHANGES_BETWEEN = 1_500
"""Rows written to a file until it is asked for: some megabytes of log, most pages in it more than once."""

LOG_PAGES_MAX = 16_000
"""The log's length at which the writer's own commits begin to help."""

_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoints:
    """The thread that copies committed pages, for all files of an engine."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[Path, int] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._live, name="checkpoint", daemon=True)

    def start(self) -> None:
        """Begin to live."""
        self._thread.start()

    def stop(self) -> None:
        """End after what was asked for."""
        self._queue.put(None)
        self._thread.join()

    def ask(self, path: Path, generation: int) -> None:
        """Checkpoint a file soon; from any thread."""
        self._queue.put((path, generation))

    def _live(self) -> None:
        files = OpenFiles(busy_milliseconds=0)
        while (asked := self._queue.get()) is not None:
            # what fails here fails in a commit too, where somebody hears of it
            with suppress(sqlite3.Error, StorageError):
                files.get(*asked)[0].execute(_CHECKPOINT).fetchall()
        files.close()
