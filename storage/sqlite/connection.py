"""One connection to one SQLite file, set up the same way everywhere."""

from __future__ import annotations

import sqlite3
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from base.clock import now, timestamp
from storage.errors import Damaged, NamespaceMissing, Unreachable
from storage.sqlite import functions as sqlite_functions

MINIMUM_VERSION = (3, 38, 0)
"""Older SQLite has no STRICT tables, no RETURNING and no built-in JSON."""

_STEPS_BETWEEN_CHECKS = 20_000  # about a millisecond of SQLite's work
_CACHED_STATEMENTS = 512
_CACHE_KIBIBYTES = 16_000
_WAL_LIMIT_BYTES = 64 << 20
_MAPPED_BYTES = 1 << 40  # SQLite's own limit is lower, mostly 2 GiB; what lies behind it is read the usual way


class Deadline:
    """The moment at which a connection's running statement is interrupted."""

    def __init__(self) -> None:
        self.at = float("inf")

    def set(self, seconds: float) -> None:
        """Interrupt after so many seconds from now."""
        self.at = time.monotonic() + seconds

    def clear(self) -> None:
        """Never interrupt."""
        self.at = float("inf")

    def passed(self) -> bool:
        """Whether the moment has come; SQLite asks this while it works."""
        return time.monotonic() > self.at


def connect(
    path: Path, *, create: bool = False, reading: bool = False, deadline: Deadline | None = None
) -> sqlite3.Connection:
    """Open a file in explicit-transaction mode with Pliant's functions.

    A file that is not there is made only with `create`; else `NamespaceMissing`. `Damaged` for what is no database.
    """
    mode = "rwc" if create else "rw"
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_CACHED_STATEMENTS,
            timeout=5.0,
        )
    except sqlite3.OperationalError as error:
        raise (Unreachable() if path.exists() else NamespaceMissing()) from error
    try:
        _set_up(connection, reading)
    except sqlite3.DatabaseError as error:
        connection.close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise Damaged() from error
        raise
    if deadline is not None:
        connection.set_progress_handler(deadline.passed, _STEPS_BETWEEN_CHECKS)
    return connection


def _set_up(connection: sqlite3.Connection, reading: bool) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
    # pages are read where they lie in the kernel's cache instead of being copied: two fifths of the CPU of a large read
    connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    sqlite_functions.register(connection)
    connection.create_function("pliant_now", 1, _now)
    if reading:
        connection.execute("PRAGMA query_only = ON")


def _now(seconds: float) -> str:
    """The database's clock, so many seconds ahead."""
    return timestamp(now() + timedelta(seconds=seconds))
