"""Reading the log: pages of change events in the order of their positions, and the history of one record.

The log is written by storage with each Batch. What stands here is the company's own truth, keyed by physical columns;
showing it to a reader under his names and grants is done above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from base.errors import BadInput, Text
from base.json import Json
from storage.batch import NAMESPACE, Cause, Sql
from storage.engine import Dialect, Engine
from storage.fixed import LOG_COLUMNS
from storage.sql import compile as compile_sql
from storage.sql import constant, is_true
from storage.types import BIGINT, TEXT, ColumnType

PAGE_MAX = 1_000
"""Events of one page. A transaction that is larger comes whole."""

_SHOWN: Mapping[str, ColumnType] = {name: type_ for name, type_ in LOG_COLUMNS.items() if name != "seq"}


@dataclass(frozen=True, slots=True)
class Event:
    """One change event as the log keeps it. Images are keyed by physical column; a purge has made them None."""

    position: int
    last: bool  # it ends its transaction
    id: str
    transaction_id: str
    at: datetime
    cause: Cause
    entity: str
    record_id: str
    op: str
    record_version: int
    catalog_version: int | None
    changed: tuple[str, ...]
    before: Mapping[str, Json] | None
    after: Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class LogHead:
    """Where a log ends, and the epoch that its positions belong to: after a restore they mean something else."""

    position: int
    epoch: str


async def read_head(engine: Engine, namespace: str) -> LogHead:
    """The last position that is given out, and the epoch."""
    row = (await engine.fetch(namespace, _head_sql(engine.dialect)))[0]
    return LogHead(int(row[0]), TEXT.decoder(engine.dialect)(row[1]))


async def read_page(engine: Engine, namespace: str, after_position: int, limit: int) -> list[Event]:
    """The events that follow a position, about `limit` of them, never part of a transaction.

    A page ends with the last event of a transaction; it is longer than `limit` only when its one transaction is.
    Empty: nothing follows yet. Raises `BadInput` for a limit outside 1 to `PAGE_MAX`.
    """
    _check_limit(limit)
    values = {"after": after_position, "until": after_position + limit}
    return await _events(engine, namespace, _page_sql(engine.dialect), values)


async def read_history(
    engine: Engine, namespace: str, entity: str, record_id: str, limit: int, before_position: int | None = None
) -> list[Event]:
    """The events of one record, newest first; `before_position` continues an earlier answer."""
    _check_limit(limit)
    before = before_position if before_position is not None else (1 << 62)
    values = {"entity": entity, "record": record_id, "before": before, "limit": limit}
    return await _events(engine, namespace, _history_sql(engine.dialect), values)


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput(Text(f"A page has 1 to {PAGE_MAX} events", f"每页事件数须为 1 到 {PAGE_MAX}"))


async def _events(engine: Engine, namespace: str, sql: Sql, values: Mapping[str, Any]) -> list[Event]:
    rows = await engine.fetch(namespace, sql, [values[name] for name in sql.binds])
    decoders = _decoders(engine.dialect)
    return [_event({name: decode(value) for (name, decode), value in zip(decoders, row, strict=True)}) for row in rows]


def _event(row: Mapping[str, Any]) -> Event:
    cause = row["cause"]
    return Event(
        position=row["position"],
        last=row["last"],
        id=row["id"],
        transaction_id=row["transaction_id"],
        at=row["at"],
        cause=Cause(row["actor_id"], cause["kind"], {key: value for key, value in cause.items() if key != "kind"}),
        entity=row["entity"],
        record_id=row["record_id"],
        op=row["op"],
        record_version=row["record_version"],
        catalog_version=row["catalog_version"],
        changed=tuple(row["changed"]),
        before=row["before"],
        after=row["after"],
    )


@cache
def _decoders(dialect: Dialect) -> Sequence[tuple[str, Any]]:
    return [(name, type_.decoder(dialect)) for name, type_ in _SHOWN.items()]


def _table() -> sa.TableClause:
    columns = [sa.column(name, type_.sqlalchemy()) for name, type_ in _SHOWN.items()]
    return sa.table("_log", *columns, schema=NAMESPACE)


def _number(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=BIGINT.sqlalchemy())


def _text(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=TEXT.sqlalchemy())


@cache
def _page_sql(dialect: Dialect) -> Sql:
    log, ends = _table().alias("l"), _table().alias("e")
    ending = sa.select(ends.c["position"]).where(is_true(ends.c["last"]), ends.c["position"] > _number("after"))
    within = ending.where(ends.c["position"] <= _number("until")).order_by(ends.c["position"].desc())
    first = ending.order_by(ends.c["position"])
    until = sa.func.coalesce(within.limit(constant(1)).scalar_subquery(), first.limit(constant(1)).scalar_subquery())
    clause = (
        sa.select(*[log.c[name] for name in _SHOWN])
        .where(log.c["position"] > _number("after"), log.c["position"] <= until)
        .order_by(log.c["position"])
    )
    return compile_sql(clause, dialect)


@cache
def _history_sql(dialect: Dialect) -> Sql:
    log = _table().alias("l")
    clause = (
        sa.select(*[log.c[name] for name in _SHOWN])
        .where(
            log.c["record_id"] == _text("record"),
            log.c["entity"] == _text("entity"),
            log.c["position"] < _number("before"),
        )
        .order_by(log.c["position"].desc())
        .limit(_number("limit"))
    )
    return compile_sql(clause, dialect)


@cache
def _head_sql(dialect: Dialect) -> Sql:
    head = sa.table("_head", sa.column("id"), sa.column("position"), sa.column("epoch"), schema=NAMESPACE)
    return compile_sql(sa.select(head.c["position"], head.c["epoch"]).where(head.c["id"] == constant(1)), dialect)
