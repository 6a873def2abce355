"""PostgreSQL's errors in our words. SQLSTATE decides; Citus leaves the constraint's name in the message only."""

from __future__ import annotations

import re

import asyncpg

from storage.errors import (
    Busy,
    Damaged,
    NamespaceMissing,
    StatementRefused,
    StorageError,
    StorageFull,
    Unreachable,
    ValueTooLong,
)

_EXACT: dict[str, type[StorageError]] = {
    "40001": Busy,  # serialization failure
    "40P01": Busy,  # deadlock
    "55P03": Busy,  # lock not available
    "57014": Busy,  # canceled by statement_timeout; a read says `TooSlow`
    "25P03": Busy,  # idle in transaction for too long
    "53100": StorageFull,
    "54000": ValueTooLong,  # program limit exceeded: an index row
    "3F000": NamespaceMissing,
    "XX001": Damaged,
    "XX002": Damaged,
}
_CLASS: dict[str, type[StorageError]] = {"53": Busy, "08": Unreachable, "57": Unreachable, "58": Unreachable}
_RETRIED = {"40001", "40P01", "55P03"}
_UNIQUE = "23505"
_CONSTRAINT = re.compile(r'unique constraint "([^"]+)"')
_SHARD = re.compile(r"_\d{6,}\Z")


def understood(error: Exception) -> StorageError:
    """The storage error that says what a driver's or the network's error means."""
    if isinstance(error, StorageError):
        return error
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return _EXACT.get(state, _CLASS.get(state[:2], StatementRefused))()
    if isinstance(error, OSError | TimeoutError | asyncpg.InternalClientError):
        return Unreachable()
    if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):
        return Unreachable()  # the connection is closed; values of a wrong type are ValueErrors
    return StatementRefused()


def is_lost(error: Exception) -> bool:
    """Whether the connection is of no more use. asyncpg may still call it open after the server's last word."""
    return isinstance(understood(error), Unreachable)


def is_retried(error: Exception) -> bool:
    """Whether the same transaction may well succeed when it is run again."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _RETRIED


def violated_index(error: Exception) -> str | None:
    """The SQL name of the unique index that a write ran into, None for any other error."""
    if not isinstance(error, asyncpg.PostgresError) or error.sqlstate != _UNIQUE:
        return None
    name = getattr(error, "constraint_name", None)
    if name is None:
        match = _CONSTRAINT.search(str(error))
        name = match[1] if match else ""
        return _SHARD.sub("", name)
    return str(name)
