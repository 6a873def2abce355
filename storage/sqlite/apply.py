"""A Batch inside the writer's transaction on SQLite: plain statements in the order of `storage.batch`."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from base.json import Json, dump
from storage.batch import (
    Applied,
    Batch,
    CatalogMoved,
    ChangeRow,
    Execute,
    Expect,
    Guard,
    GuardFailed,
    IdempotencyRow,
    Insert,
    Late,
    NotUnique,
    Outcome,
    Replayed,
    Statement,
    Update,
)
from storage.fixed import CHANGE_COLUMNS
from storage.late import finished, finished_image
from storage.names import placed, quoted
from storage.sqlite.errors import ends_transaction, understood
from storage.sqlite.unique import created_index, violated_columns, violated_index

_READ_HEAD = "SELECT catalog_version, position FROM _head WHERE id = 1"
_MOVE_POSITION = "UPDATE _head SET position = ? WHERE id = 1"
_MOVE_CATALOG = "UPDATE _head SET catalog_version = ? WHERE id = 1"
_DRAW = (
    "INSERT INTO _counter (name, value) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value RETURNING value"
)
_KNOWN = "SELECT input_hash, answer FROM _idempotency WHERE key = ? AND expires_at > ?"
_REMEMBER = "INSERT OR REPLACE INTO _idempotency (key, input_hash, answer, expires_at) VALUES (?, ?, ?, ?)"
_LOG = (
    f"INSERT INTO _log (position, seq, last, {', '.join(map(quoted, CHANGE_COLUMNS))}) "
    f"VALUES ({', '.join('?' * (len(CHANGE_COLUMNS) + 3))})"
)


@dataclass(slots=True)
class Head:
    """What the transaction knows of `_head`: read once after it began, written once before it ends."""

    catalog_version: int
    position: int


class _Refused(Exception):
    """Leaves a Batch that must not be kept."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


def read_head(connection: sqlite3.Connection) -> Head:
    """The head inside the running transaction."""
    version, position = connection.execute(_READ_HEAD).fetchone()
    return Head(version, position)


def write_position(connection: sqlite3.Connection, position: int) -> None:
    """Note the last position that the running transaction gave out."""
    connection.execute(_MOVE_POSITION, (position,))


def apply_batch(connection: sqlite3.Connection, batch: Batch, head: Head, ddl: Sequence[str] = ()) -> Outcome:
    """Apply a Batch inside the running transaction, with DDL before its statements; unless it is `Applied`, nothing of
    it is left.

    `head` moves with it. Raises a `StorageError` for what the database refuses, after which the Batch has left
    nothing either; when the connection is then no longer in a transaction, the whole group is lost.
    """
    if not ddl and is_single(batch):
        outcome = _apply_single(connection, batch, head)
        if outcome is not None:
            return outcome
    before = (head.catalog_version, head.position)
    connection.execute("SAVEPOINT batch")
    try:
        outcome = _attempt(connection, batch, head, ddl)
    except Exception as error:
        head.catalog_version, head.position = before
        if connection.in_transaction:
            connection.execute("ROLLBACK TO batch")
            connection.execute("RELEASE batch")
        if isinstance(error, _Refused):
            return error.outcome
        if not ends_transaction(error) and connection.in_transaction:
            index = _index(connection, batch, head, error, ddl)
            if index is not None:
                return NotUnique(index)
        raise understood(error) from error
    connection.execute("RELEASE batch")
    return outcome


def is_single(batch: Batch) -> bool:
    """Whether only one row is written beside log and memory: what is refused then has left nothing to take back."""
    if batch.counters or batch.new_catalog_version is not None or len(batch.statements) != 1:
        return False
    (statement,) = batch.statements
    one = len(statement.rows) == 1 if isinstance(statement, Insert) else isinstance(statement, Update)
    return one and not any(guard.after for guard in batch.guards)


def _apply_single(connection: sqlite3.Connection, batch: Batch, head: Head) -> Outcome | None:
    """Apply a Batch of one row without a savepoint, which costs two statements; None: do it again with one.

    A statement that fails has changed nothing. Should log or memory fail after it, the whole transaction goes.
    """
    position, changes = head.position, connection.total_changes
    try:
        return _attempt(connection, batch, head)
    except _Refused as refused:
        return refused.outcome
    except Exception as error:
        head.position = position
        if connection.in_transaction and connection.total_changes == changes:
            return None
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise understood(error) from error


def _attempt(connection: sqlite3.Connection, batch: Batch, head: Head, ddl: Sequence[str] = ()) -> Outcome:
    if batch.idempotency is not None:
        _check_key(connection, batch.idempotency, batch.at)
    if batch.catalog_version is not None and batch.catalog_version != head.catalog_version:
        raise _Refused(CatalogMoved(head.catalog_version))
    numbers = _draw(connection, batch.counters)
    for guard in batch.guards:
        if not guard.after:
            _check(connection, guard)
    for text in ddl:
        _define(connection, placed(text, ""))
    for statement in batch.statements:
        _run(connection, statement, numbers)
    for guard in batch.guards:
        if guard.after:
            _check(connection, guard)
    if batch.new_catalog_version is not None:
        connection.execute(_MOVE_CATALOG, (batch.new_catalog_version,))
        head.catalog_version = batch.new_catalog_version
    if batch.changes:
        rows = _log_rows(batch, numbers, head)
        if len(rows) == 1:
            connection.execute(_LOG, rows[0])
        else:
            connection.executemany(_LOG, rows)
        head.position += len(rows)
    if batch.idempotency is not None:
        row = batch.idempotency
        answer = dump(row.answer).decode()
        connection.execute(_REMEMBER, (row.key, row.input_hash, answer, row.expires_at))
    return Applied(numbers)


def _check_key(connection: sqlite3.Connection, row: IdempotencyRow, at: str) -> None:
    known = connection.execute(_KNOWN, (row.key, at)).fetchone()
    if known is not None:
        raise _Refused(Replayed(known[0], json.loads(known[1])))


def _draw(connection: sqlite3.Connection, counters: Mapping[str, int]) -> dict[str, int]:
    numbers = {}
    for name, count in counters.items():
        ((value,),) = connection.execute(_DRAW, (name, count)).fetchall()  # read to its end, or COMMIT fails
        numbers[name] = value - count + 1
    return numbers


def _check(connection: sqlite3.Connection, guard: Guard) -> None:
    found = connection.execute(placed(guard.sql.text, ""), guard.params).fetchone() is not None
    if found is not (guard.expect is Expect.ROW):
        raise _Refused(GuardFailed(guard.token))


def _define(connection: sqlite3.Connection, text: str) -> None:
    try:
        connection.execute(text)
    except sqlite3.IntegrityError as error:
        index = created_index(text, error)
        if index is None:
            raise
        raise _Refused(NotUnique(index)) from error


def _run(connection: sqlite3.Connection, statement: Statement, numbers: Mapping[str, int]) -> None:
    match statement:
        case Insert():
            rows = statement.rows
            if numbers:
                rows = tuple(finished(row, numbers) for row in rows)
            text = _insert_text(statement.table, statement.columns)
            if len(rows) == 1:
                connection.execute(text, rows[0])
            else:
                connection.executemany(text, rows)
        case Update():
            values = finished(statement.values, numbers) if numbers else statement.values
            where: Sequence[Any] = (statement.id,) if statement.version is None else (statement.id, statement.version)
            text = _update_text(statement.table, statement.columns, statement.version is not None)
            if connection.execute(text, (*values, *where)).rowcount != 1:
                raise _Refused(GuardFailed(statement.token))
        case Execute():
            changed = connection.total_changes
            connection.execute(placed(statement.sql.text, ""), statement.params)
            expected = statement.expect_rows
            # not `rowcount`, which knows nothing of statements that begin with WITH
            if expected is not None and connection.total_changes - changed != expected:
                raise _Refused(GuardFailed(statement.token))


@lru_cache(maxsize=2048)
def _insert_text(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(quoted, columns))
    return f"INSERT INTO {quoted(table)} ({names}) VALUES ({', '.join('?' * len(columns))})"


@lru_cache(maxsize=2048)
def _update_text(table: str, columns: tuple[str, ...], versioned: bool) -> str:
    assignments = ", ".join(f"{quoted(column)} = ?" for column in columns)
    return f"UPDATE {quoted(table)} SET {assignments} WHERE id = ?{' AND version = ?' if versioned else ''}"


def _log_rows(batch: Batch, numbers: Mapping[str, int], head: Head) -> list[tuple[Any, ...]]:
    cause = _cause(batch)
    version = head.catalog_version if batch.catalog_version is None else batch.catalog_version
    if batch.new_catalog_version is not None:
        version = batch.new_catalog_version
    end = head.position + len(batch.changes)
    return [
        (position, position, int(position == end), *_change(batch, change, cause, version, numbers))
        for position, change in enumerate(batch.changes, head.position + 1)
    ]


def change_values(batch: Batch, change: ChangeRow, version: int) -> tuple[Any, ...]:
    """What the log keeps of an event without late values, in the order of `CHANGE_COLUMNS`."""
    return _change(batch, change, _cause(batch), version, {})


def _cause(batch: Batch) -> str:
    return dump({"kind": batch.cause.kind, **batch.cause.detail}).decode()


def _change(batch: Batch, change: ChangeRow, cause: str, version: int, numbers: Mapping[str, int]) -> tuple[Any, ...]:
    return (
        change.id,
        batch.transaction_id,
        batch.at,
        batch.cause.actor_id,
        cause,
        change.entity,
        change.record_id,
        change.op,
        change.record_version,
        version,
        dump(change.changed).decode(),
        _image(change.before, numbers),
        _image(change.after, numbers),
    )


def _image(image: Mapping[str, Json | Late] | None, numbers: Mapping[str, int]) -> str | None:
    return None if image is None else dump(finished_image(image, numbers)).decode()


def _index(
    connection: sqlite3.Connection, batch: Batch, head: Head, error: Exception, ddl: Sequence[str]
) -> str | None:
    """The unique index that an error is about, None for any other error."""
    named = re.match(r"UNIQUE constraint failed: index '(.*)'\Z", str(error))
    if named is not None:
        return named[1]
    columns = violated_columns(error)
    if columns is None:
        return None

    def retry() -> None:
        """The whole Batch again."""
        _attempt(connection, batch, Head(head.catalog_version, head.position), ddl)

    return violated_index(connection, columns, retry)
