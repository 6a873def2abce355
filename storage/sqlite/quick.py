"""Reads on the event loop itself: a statement that takes less than handing it to a thread is not handed over.

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

CHEAP_SECONDS = 0.000_15
"""CPU that a read may take to count as cheap: about what two hand-overs cost the process."""

_CHEAP_TIMES = 8  # so often in a row a statement must have been cheap
_PARDON = 1_000  # so many cheap runs in a thread before a statement that kept the loop is tried there again
_INTERRUPTED_SECONDS = 0.004  # the longest that a read keeps the loop
_KNOWN_MAX = 2_000  # texts that are remembered


class Quick:
    """The loop's own readers of an engine, and what is known of each statement."""

    def __init__(self) -> None:
        self._files = OpenFiles(busy_milliseconds=0)
        self._missing: dict[str, int] = {}  # text -> cheap runs that it still needs; 0 is cheap

    def learn(self, text: str, seconds: float) -> None:
        """A thread has answered a statement in so much CPU."""
        missing = self._missing.get(text, _CHEAP_TIMES)
        if seconds > CHEAP_SECONDS:
            missing = max(missing, _CHEAP_TIMES)
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
        if time.perf_counter() - started > _INTERRUPTED_SECONDS:
            self._missing[text] = _PARDON
        return rows

    def close(self) -> None:
        """Close the loop's connections."""
        self._files.close()
