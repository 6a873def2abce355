"""Reads on the event loop itself: a statement that takes little is not handed to a thread.

A hand-over costs more than it seems. Loop and thread wake each other and then contend for the interpreter, which
SQLite's driver gives up and takes again several times for each statement: under load that is 0.25 to 0.5 ms of CPU for
a read, and the answer waits for the interpreter too.

A thread tells what each of its statements takes. One that has been cheap several times over is answered at once, on
a connection of the loop's own that waits for nobody and is interrupted within milliseconds; whatever it cannot answer
so goes to a thread after all, and is not tried again for a while.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from storage.errors import StorageError
from storage.sqlite.files import OpenFiles

try:
    import resource
except ImportError:  # pragma: no cover  # Windows: every long read counts as one that waited for the disk
    resource = None  # type: ignore[assignment]

CHEAP_SECONDS = 0.001
"""CPU that a read may take to count as cheap: others wait for it no longer than for a large request being parsed."""

_CHEAP_TIMES = 8  # so often a statement must have been cheap
_DEAR_RUN = 2  # so many cheap runs make up for a dear one: on a busy machine every statement has some
_PARDON = 1_000  # so many cheap runs in a thread before a statement that kept the loop is tried there again
_INTERRUPTED_SECONDS = 0.004  # the longest that a read keeps the loop
_KNOWN_MAX = 2_000  # texts that are remembered


class Quick:
    """The loop's own readers of an engine, and what is known of each statement."""

    def __init__(self) -> None:
        self._files = OpenFiles(busy_milliseconds=0)
        self._missing: dict[str, int] = {}  # text -> cheap runs that it still needs; 0 is cheap
        self._disk_reads = _disk_reads()

    def learn(self, text: str, seconds: float) -> None:
        """A thread has answered a statement in so much CPU."""
        missing = self._missing.get(text, _CHEAP_TIMES)
        if seconds > CHEAP_SECONDS:
            missing = max(missing, min(missing + _DEAR_RUN, _CHEAP_TIMES))
        elif missing:
            missing -= 1
        if text not in self._missing and len(self._missing) >= _KNOWN_MAX:
            self._missing.clear()
        self._missing[text] = missing

    def answer(self, path: Path, generation: int, text: str, params: Sequence[Any]) -> list[tuple[Any, ...]] | None:
        """All rows of a statement that is known to be cheap; None for one that a thread must answer."""
        if self._missing.get(text) != 0:
            return None
        started = time.perf_counter()
        try:
            connection, deadline = self._files.get(path, generation)
            deadline.set(_INTERRUPTED_SECONDS)
            rows: list[tuple[Any, ...]] = connection.execute(text, params).fetchall()
        except (sqlite3.Error, StorageError):
            self._missing[text] = _PARDON
            return None
        if time.perf_counter() - started > _INTERRUPTED_SECONDS and self._read_disk():
            self._missing[text] = _PARDON
        return rows

    def _read_disk(self) -> bool:
        """Whether this thread has read from the disk since the last question; else a busy machine kept it waiting."""
        before, self._disk_reads = self._disk_reads, _disk_reads()
        return resource is None or self._disk_reads > before

    def close(self) -> None:
        """Close the loop's connections."""
        self._files.close()


def _disk_reads() -> int:
    """How often this thread has read from the disk since it began."""
    if resource is None:
        return 0
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    return usage.ru_inblock + usage.ru_majflt
