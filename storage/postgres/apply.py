"""A Batch as statements of its own inside one PostgreSQL transaction: the form for what one statement cannot hold.

Counters, guards that look after the writes, free statements, many rows. Runs of equal statements are sent together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from base.json import dump, parse
from storage.batch import (
    Applied,
    Batch,
    CatalogMoved,
    Execute,
    Expect,
    Guard,
    GuardFailed,
    Insert,
    Outcome,
    Replayed,
    Statement,
    Update,
)
from storage.late import finished
from storage.names import placed, quoted
from storage.postgres.heads import NOTIFY
from storage.postgres.pool import Connection
from storage.postgres.rows import Places, change_arguments, insert_changes, row_arguments, select_rows
from storage.types import postgres_name

_VERSION = "SELECT catalog_version FROM __ns__._head WHERE id = 1"
_KNOWN = "SELECT input_hash, answer FROM __ns__._idempotency WHERE key = $1::text AND expires_at > $2::timestamptz"
_REMEMBER = (
    "INSERT INTO __ns__._idempotency AS known (key, input_hash, answer, expires_at) "
    "VALUES ($1::text, $2::text, $3::json, $4::timestamptz) "
    "ON CONFLICT (key) DO UPDATE SET input_hash = excluded.input_hash, answer = excluded.answer, "
    "expires_at = excluded.expires_at WHERE known.expires_at <= $5::timestamptz RETURNING 1"
)
_DRAW = (
    "INSERT INTO __ns__._counter AS c (name, value) VALUES ($1::text, $2::bigint) "
    "ON CONFLICT (name) DO UPDATE SET value = c.value + excluded.value RETURNING value"
)
_MOVE_CATALOG = "UPDATE __ns__._head SET catalog_version = $1::bigint WHERE id = 1 RETURNING 1"

_ROWS_AT_ONCE = 2_000


class Refused(Exception):
    """Leaves a transaction that must not be kept, with the reason."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


async def replayed(connection: Connection, schema: str, batch: Batch) -> Replayed | None:
    """The answer that the Batch's idempotency key already has; None without a key or when it is new."""
    if batch.idempotency is None:
        return None
    at = datetime.fromisoformat(batch.at)
    rows = await connection.fetch(placed(_KNOWN, schema), batch.idempotency.key, at)
    return Replayed(rows[0][0], parse(rows[0][1])) if rows else None  # type: ignore[arg-type]  # always an object


async def apply_steps(connection: Connection, schema: str, batch: Batch, ddl: Sequence[str] = ()) -> Applied:
    """Apply the Batch in the running transaction, which holds the company's lock, with DDL before its statements.

    Raises `Refused` with any other outcome, and the driver's errors; the transaction must then be rolled back.
    """
    if batch.catalog_version is not None:
        (version,) = (await connection.fetch(placed(_VERSION, schema)))[0]
        if version != batch.catalog_version:
            raise Refused(CatalogMoved(version))
    if batch.idempotency is not None:
        row = batch.idempotency
        times = datetime.fromisoformat(row.expires_at), datetime.fromisoformat(batch.at)
        new = await connection.fetch(placed(_REMEMBER, schema), row.key, row.input_hash, dump(row.answer), *times)
        if not new:
            raise Refused(GuardFailed("idempotency"))
    numbers = {}
    for name, count in sorted(batch.counters.items()):
        (value,) = (await connection.fetch(placed(_DRAW, schema), name, count))[0]
        numbers[name] = value - count + 1
    await _check(connection, schema, [guard for guard in batch.guards if not guard.after])
    for text in ddl:
        await connection.execute(placed(text, schema))
    for run in _runs(batch.statements):
        await _run(connection, schema, run, numbers)
    await _check(connection, schema, [guard for guard in batch.guards if guard.after])
    if batch.new_catalog_version is not None:
        moved = await connection.fetch(placed(_MOVE_CATALOG, schema), batch.new_catalog_version)
        assert len(moved) == 1
        await connection.fetch(NOTIFY, f"{schema} {batch.new_catalog_version}")
    if batch.changes:
        await _log(connection, schema, batch, numbers)
    return Applied(numbers)


async def _check(connection: Connection, schema: str, guards: Sequence[Guard]) -> None:
    for guard in guards:
        found = bool(await connection.fetch(placed(guard.sql.text, schema), *guard.params))
        if found is not (guard.expect is Expect.ROW):
            raise Refused(GuardFailed(guard.token))


def _runs(statements: Sequence[Statement]) -> list[list[Statement]]:
    """Neighbouring updates of the same columns stand together, everything else alone."""

    def kind(numbered: tuple[int, Statement]) -> object:
        """What neighbours must have in common."""
        number, statement = numbered
        if isinstance(statement, Update):
            return statement.table, statement.columns, statement.types, statement.version is not None
        return number

    return [[statement for _, statement in run] for _, run in groupby(enumerate(statements), kind)]


async def _run(connection: Connection, schema: str, run: list[Statement], numbers: Mapping[str, int]) -> None:
    match run[0]:
        case Insert() as insert:
            await _insert(connection, schema, insert, numbers)
        case Update():
            await _update(connection, schema, [item for item in run if isinstance(item, Update)], numbers)
        case Execute() as execute:
            status = await connection.execute(placed(execute.sql.text, schema), *execute.params)
            touched = int(status.rpartition(" ")[2]) if status[-1:].isdigit() else 0
            if execute.expect_rows is not None and touched != execute.expect_rows:
                raise Refused(GuardFailed(execute.token))


async def _insert(connection: Connection, schema: str, insert: Insert, numbers: Mapping[str, int]) -> None:
    names = ", ".join(map(quoted, insert.columns))
    for start in range(0, len(insert.rows), _ROWS_AT_ONCE):
        rows = [finished(row, numbers) for row in insert.rows[start : start + _ROWS_AT_ONCE]]
        many = len(rows) > 1
        text = select_rows(insert.types, many, "", Places())
        text = f"INSERT INTO __ns__.{quoted(insert.table)} ({names}) {text}"
        await connection.execute(placed(text, schema), *row_arguments(insert.types, rows, many))


async def _update(connection: Connection, schema: str, updates: Sequence[Update], numbers: Mapping[str, int]) -> None:
    first, place = updates[0], Places()
    assignments = ", ".join(
        f"{quoted(column)} = {place()}::{postgres_name(kind)}"
        for column, kind in zip(first.columns, first.types, strict=True)
    )
    where = f"id = {place()}" + ("" if first.version is None else f" AND version = {place()}")
    text = placed(
        f"WITH u AS (UPDATE __ns__.{quoted(first.table)} SET {assignments} WHERE {where} RETURNING 1) "
        f"SELECT EXISTS (SELECT FROM u)",
        schema,
    )
    arguments = [
        (*finished(item.values, numbers), item.id, *(() if item.version is None else (item.version,)))
        for item in updates
    ]
    if len(updates) == 1:
        rows = await connection.fetch(text, *arguments[0])
    else:
        rows = await connection.fetchmany(text, arguments)
    for item, row in zip(updates, rows, strict=True):
        if not row[0]:
            raise Refused(GuardFailed(item.token))


async def _log(connection: Connection, schema: str, batch: Batch, numbers: Mapping[str, int]) -> None:
    text = insert_changes(len(batch.changes) > 1, "", Places())
    await connection.execute(placed(text, schema), *change_arguments(batch, numbers))
