"""SQLite's errors in our words."""

from __future__ import annotations

import sqlite3

from storage.errors import (
    Busy,
    Damaged,
    StatementRefused,
    StatementTooDeep,
    StorageError,
    StorageFull,
    TooSlow,
    Unreachable,
)

PARSER_OVERFLOW = "parser stack overflow"
"""What SQLite says of a statement that is nested too deep; the code is the one of any wrong statement."""

_MEANING: dict[int, type[StorageError]] = {
    sqlite3.SQLITE_BUSY: Busy,
    sqlite3.SQLITE_LOCKED: Busy,
    sqlite3.SQLITE_INTERRUPT: Busy,
    sqlite3.SQLITE_NOMEM: Busy,
    sqlite3.SQLITE_FULL: StorageFull,
    sqlite3.SQLITE_IOERR: Unreachable,
    sqlite3.SQLITE_READONLY: Unreachable,
    sqlite3.SQLITE_PERM: Unreachable,
    sqlite3.SQLITE_PROTOCOL: Unreachable,
    sqlite3.SQLITE_CANTOPEN: Unreachable,
    sqlite3.SQLITE_CORRUPT: Damaged,
    sqlite3.SQLITE_NOTADB: Damaged,
}


def understood(error: Exception) -> StorageError:
    """The storage error that says what a driver's error means; a value or a text it does not take is refused."""
    if isinstance(error, StorageError):
        return error
    if str(error) == PARSER_OVERFLOW:
        return StatementTooDeep()
    return _MEANING.get(_code(error), StatementRefused)()


def understood_read(error: Exception, seconds: float) -> StorageError:
    """What the error of a reading statement means, which is interrupted when it takes more than `seconds`."""
    if _code(error) == sqlite3.SQLITE_INTERRUPT:
        return TooSlow(seconds)
    return understood(error)


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else holds the write lock."""
    return _code(error) == sqlite3.SQLITE_BUSY


def ends_transaction(error: Exception) -> bool:
    """Whether the fault is the file's and not the statement's: the whole group is lost, not one Batch."""
    return not isinstance(understood(error), StatementRefused)


def _code(error: Exception) -> int:
    """SQLite's primary code, 0 for other errors: the low byte, the rest tells where it happened."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
