"""A whole Batch as ONE PostgreSQL statement: guards, rows, change rows and idempotency row as chained CTEs.

What makes it right, under READ COMMITTED with the company's advisory lock taken before, in a round trip of its own:

* A data-modifying CTE runs whether it is referenced or not, so each one selects FROM `kept`, which has a row only when
  every guard held and the idempotency key was new.
* Row guards lock what they find (FOR SHARE, or FOR NO KEY UPDATE for the row to be changed). PostgreSQL checks the
  condition again on the newest version of a row it had to wait for, so what `gate` found stays true until the commit.
  They stand in MATERIALIZED CTEs, and CASE asks them one by one: after the first that fails no other is run.
* The row to be changed is locked and its version checked before anything is written; so a failing version leaves
  neither an idempotency row nor a change row, without rolling back the group that the statement is part of.
* Change rows get their `seq` after the record is locked; two writers of one record get theirs in the order of commits.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from functools import lru_cache
from typing import Any

from base.immutable import immutable
from base.json import dump
from storage.batch import Applied, Batch, CatalogMoved, Expect, GuardFailed, Insert, Outcome, Update, Value
from storage.names import quoted
from storage.postgres.rows import Places, change_arguments, insert_changes, row_arguments, select_rows
from storage.types import postgres_name

_GUARDS_MAX = 8  # more makes too many different texts
_INSERTS_MAX = 6
_ROWS_MAX = 200

APPLIED = Applied()
"""The outcome of a Batch that drew no numbers."""

_CATALOG = -1  # in the column `failed`: the catalog version, else the number of the guard


@immutable
class _Shape:
    """What the text depends on; Batches of equal shapes share a prepared statement."""

    catalog: bool
    guards: tuple[tuple[str, bool], ...]  # text, a row expected
    inserts: tuple[tuple[str, tuple[str, ...], tuple[str, ...], bool], ...]  # table, columns, types, many
    update: tuple[str, tuple[str, ...], tuple[str, ...], bool] | None  # table, columns, types, versioned
    changes: int  # 0, 1, or 2 for several
    idempotent: bool


@immutable
class Fused:
    """The statement with its arguments, and how to read its answer."""

    text: str
    arguments: list[Value]
    tokens: tuple[Hashable, ...]
    touched: frozenset[Any]  # ids of rows that it changes
    shared: frozenset[Any]  # parameters of its guards, ids of rows that it locks among them

    def outcome(self, row: Any) -> Outcome | None:
        """What the statement's one row says; None when the idempotency key is known already."""
        version, failed, kept = row
        if kept:
            return APPLIED
        if failed is None:
            return None
        return CatalogMoved(version) if failed == _CATALOG else GuardFailed(self.tokens[failed])


def fuse(batch: Batch) -> Fused | None:
    """The Batch as one statement, or None when it needs several: counters, late guards, free statements, many rows."""
    if batch.counters or batch.new_catalog_version is not None or len(batch.guards) > _GUARDS_MAX:
        return None
    inserts: list[Insert] = []
    update: Update | None = None
    rows = 0
    for statement in batch.statements:
        if isinstance(statement, Insert):
            rows += len(statement.rows)
            if statement.rows:
                inserts.append(statement)
        elif isinstance(statement, Update) and update is None:
            update = statement
        else:
            return None
    if rows > _ROWS_MAX or len(batch.changes) > _ROWS_MAX or len(inserts) > _INSERTS_MAX:
        return None
    if update is not None and any(insert.table == update.table for insert in inserts):
        return None  # which of the two runs first is not defined
    shared: list[Value] = []
    for guard in batch.guards:
        if guard.after:
            return None
        shared += guard.params
    shape = _Shape(
        batch.catalog_version is not None,
        tuple([(guard.sql.text, guard.expect is Expect.ROW) for guard in batch.guards]),
        tuple([(insert.table, insert.columns, insert.types, len(insert.rows) > 1) for insert in inserts]),
        None if update is None else (update.table, update.columns, update.types, update.version is not None),
        min(len(batch.changes), 2),
        batch.idempotency is not None,
    )
    tokens = tuple([guard.token for guard in batch.guards])
    return Fused(
        _text(shape),
        _arguments(batch, inserts, update),
        tokens if update is None else (*tokens, update.token),
        frozenset() if update is None else frozenset((update.id,)),
        frozenset([value for value in shared if isinstance(value, str)]),
    )


def _arguments(batch: Batch, inserts: list[Insert], update: Update | None) -> list[Value]:
    arguments: list[Value] = [] if batch.catalog_version is None else [batch.catalog_version]
    for guard in batch.guards:
        arguments += guard.params
    if update is not None:
        arguments.append(update.id)
        if update.version is not None:
            arguments.append(update.version)
    if batch.idempotency is not None:
        row = batch.idempotency
        expires, at = datetime.fromisoformat(row.expires_at), datetime.fromisoformat(batch.at)
        arguments += (row.key, row.input_hash, dump(row.answer), expires, at)
    for insert in inserts:
        arguments += row_arguments(insert.types, insert.rows, len(insert.rows) > 1)
    if update is not None:
        arguments += update.values
    if batch.changes:
        arguments += change_arguments(batch, {})
    return arguments


@lru_cache(maxsize=4096)
def _text(shape: _Shape) -> str:
    place = Places()
    parts = ["head AS MATERIALIZED (SELECT catalog_version FROM __ns__._head WHERE id = 1)"]
    conditions = []
    if shape.catalog:
        conditions.append((f"(SELECT catalog_version FROM head) IS DISTINCT FROM {place()}::bigint", _CATALOG))
    for number, (text, row) in enumerate(shape.guards):
        parts.append(f"g{number} AS MATERIALIZED ({place.moved(text)})")
        conditions.append((f"{'NOT ' if row else ''}EXISTS (SELECT FROM g{number})", number))
    changed = ""
    if shape.update is not None:
        table, _, _, versioned = shape.update
        changed = f"id = {place()}"
        version = f" AND version = {place()}" if versioned else ""
        parts.append(
            f"changed AS MATERIALIZED (SELECT 1 FROM __ns__.{quoted(table)} WHERE {changed}{version} FOR NO KEY UPDATE)"
        )
        conditions.append(("NOT EXISTS (SELECT FROM changed)", len(shape.guards)))
    cases = " ".join(f"WHEN {condition} THEN {number}" for condition, number in conditions)
    failed = f"CASE {cases} END" if cases else "NULL::integer"
    parts.append(f"gate AS MATERIALIZED (SELECT {failed} AS failed)")
    parts += _kept(shape, place)
    parts += _writes(shape, place, changed)
    return (
        f"WITH {', '.join(parts)} SELECT (SELECT catalog_version FROM head) AS version, "
        f"(SELECT failed FROM gate) AS failed, EXISTS (SELECT FROM kept) AS kept"
    )


def _kept(shape: _Shape, place: Places) -> list[str]:
    """The CTEs up to `kept`: one row when everything shall be written, none otherwise."""
    if not shape.idempotent:
        return ["kept AS MATERIALIZED (SELECT 1 FROM gate WHERE failed IS NULL)"]
    key, input_hash, answer, expires, at = (place() for _ in range(5))
    remembered = (
        f"INSERT INTO __ns__._idempotency AS known (key, input_hash, answer, expires_at) "
        f"SELECT {key}::text, {input_hash}::text, {answer}::json, {expires}::timestamptz "
        f"FROM gate WHERE failed IS NULL "
        f"ON CONFLICT (key) DO UPDATE SET input_hash = excluded.input_hash, answer = excluded.answer, "
        f"expires_at = excluded.expires_at WHERE known.expires_at <= {at}::timestamptz RETURNING 1"
    )
    return [f"remembered AS ({remembered})", "kept AS MATERIALIZED (SELECT 1 FROM remembered)"]


def _writes(shape: _Shape, place: Places, changed: str) -> list[str]:
    parts = []
    for number, (table, columns, types, many) in enumerate(shape.inserts):
        names = ", ".join(map(quoted, columns))
        rows = select_rows(types, many, "kept", place)
        parts.append(f"i{number} AS (INSERT INTO __ns__.{quoted(table)} ({names}) {rows})")
    if shape.update is not None:
        table, columns, types, _ = shape.update
        assignments = ", ".join(
            f"{quoted(column)} = {place()}::{postgres_name(kind)}" for column, kind in zip(columns, types, strict=True)
        )
        parts.append(
            f"u AS (UPDATE __ns__.{quoted(table)} SET {assignments} WHERE {changed} AND EXISTS (SELECT FROM kept))"
        )
    if shape.changes:
        parts.append(f"logged AS ({insert_changes(shape.changes > 1, 'kept', place, known=shape.catalog)})")
    return parts
