"""Which unique index did a write run into? SQLite names the columns only, and two indexes may have the same ones.

When several unique indexes of the table have exactly these columns (partial ones, say), the write is tried again with
all but one of them dropped, inside a savepoint that is rolled back: the index with which it still fails is the one.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

from storage.names import quoted

_CREATED = re.compile(r'CREATE UNIQUE INDEX (?:"((?:[^"]|"")+)"|(\w+))')
_MESSAGE = re.compile(r"UNIQUE constraint failed: (.+)\Z", re.DOTALL)


def violated_columns(error: Exception) -> tuple[str, tuple[str, ...]] | None:
    """Table and columns of a uniqueness error that names columns; None for any other error."""
    match = _MESSAGE.match(str(error)) if isinstance(error, sqlite3.IntegrityError) else None
    if match is None or match[1].startswith("index '"):
        return None
    pairs = [name.split(".", 1) for name in match[1].split(", ")]
    return pairs[0][0], tuple(pair[-1] for pair in pairs)


def created_index(text: str, error: Exception) -> str | None:
    """The unique index that a DDL statement could not make because of the rows; None for any other error."""
    match = _CREATED.match(text) if isinstance(error, sqlite3.IntegrityError) else None
    return None if match is None else match[2] or match[1].replace('""', '"')


def violated_index(
    connection: sqlite3.Connection, violated: tuple[str, tuple[str, ...]], retry: Callable[[], None]
) -> str:
    """The SQL name of the unique index behind the error; `<table>_pkey` for the primary key, as on PostgreSQL.

    Called in a transaction from which the write has been rolled back; `retry` writes again.
    """
    table, columns = violated
    candidates = _unique_indexes(connection, table, columns)
    named = [name for name in candidates if not name.startswith("sqlite_autoindex_")]
    if len(candidates) != len(named) or not named:
        # the primary key; a second index over just these columns could never fail alone
        return f"{table}_pkey"
    for name in named[:-1]:
        if _fails_alone(connection, name, named, violated, retry):
            return name
    return named[-1]


def _unique_indexes(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> list[str]:
    found = []
    for _, name, unique, *_ in connection.execute(f"PRAGMA index_list({quoted(table)})").fetchall():
        if unique:
            parts = connection.execute(f"PRAGMA index_info({quoted(name)})").fetchall()
            if tuple(part[2] for part in parts) == columns:
                found.append(name)
    return sorted(found)


def _fails_alone(
    connection: sqlite3.Connection,
    name: str,
    candidates: list[str],
    violated: tuple[str, tuple[str, ...]],
    retry: Callable[[], None],
) -> bool:
    connection.execute("SAVEPOINT probe")
    try:
        for other in candidates:
            if other != name:
                connection.execute(f"DROP INDEX {quoted(other)}")
        retry()
    except Exception as error:  # also a guard that fails now because a value could be written
        return violated_columns(error) == violated
    finally:
        connection.execute("ROLLBACK TO probe")
        connection.execute("RELEASE probe")
    return False
