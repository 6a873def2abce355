"""A small company to write to: customers and orders, with unique indexes of every sort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from base.clock import now, timestamp
from base.ids import new_id
from base.json import Json
from storage import ddl
from storage.batch import Batch, Cause, ChangeRow, Expect, Guard, Insert, Sql, Update
from storage.engine import Dialect, Engine
from storage.migrations import Migration
from storage.types import INTEGER, TEXT, TIMESTAMP, UUID, ColumnType, decimal

CUSTOMER: Mapping[str, ColumnType] = {
    "id": UUID,
    "version": INTEGER,
    "name": TEXT,
    "code": TEXT,
    "amount": decimal(2),
    "deleted_at": TIMESTAMP,
}


def statements(dialect: Dialect) -> list[str]:
    """The table `customer` with its indexes."""
    columns = [(name, type_, name in ("id", "version")) for name, type_ in CUSTOMER.items()]
    return [
        *ddl.create_table("customer", columns, ["id"], dialect),
        *ddl.create_index("u_customer_name", "customer", ["name"], dialect, unique=True, where_live=True),
        *ddl.create_index("u_customer_fold", "customer", [("fold", "code")], dialect, unique=True, where_live=True),
    ]


MIGRATIONS = (Migration(500, "shop", statements),)


def customer(engine: Engine, **values: Any) -> tuple[str, Insert]:
    """A new row and its id."""
    row = {"id": new_id(1), "version": 1, **values}
    types = tuple(CUSTOMER[name] for name in row)
    encoded = tuple(type_.encoder(engine.dialect)(value) for type_, value in zip(types, row.values(), strict=True))
    return str(row["id"]), Insert("customer", tuple(row), tuple(type_.kind for type_ in types), (encoded,))


def change(record_id: str, version: int = 1, op: str = "CREATED", **after: Json) -> ChangeRow:
    """A change row of a customer."""
    return ChangeRow(new_id(), "customer", record_id, op, version, tuple(after), None, after)


def renamed(record_id: str, version: int | None, name: str, token: str = "version") -> Update:
    """A customer's update that moves its version."""
    following = 1 if version is None else version + 1
    return Update("customer", record_id, version, ("version", "name"), ("integer", "text"), (following, name), token)


def exists(engine: Engine, record_id: str, token: str, expect: Expect = Expect.ROW, after: bool = False) -> Guard:
    """A guard that looks for a live customer, and holds on to it on PostgreSQL."""
    if engine.dialect == "sqlite":
        sql = Sql("SELECT 1 FROM __ns__.customer WHERE id = ? AND deleted_at IS NULL", ("id",))
    else:
        lock = " FOR SHARE" if expect is Expect.ROW else ""
        sql = Sql(f"SELECT 1 FROM __ns__.customer WHERE id = $1 AND deleted_at IS NULL{lock}", ("id",))
    return Guard(token, sql, (record_id,), expect, after)


def batch(*statements: Any, **parts: Any) -> Batch:
    """A Batch for catalog version 0."""
    parts = {"catalog_version": 0, **parts}
    return Batch(timestamp(now()), new_id(), Cause(None, "test"), statements=tuple(statements), **parts)


async def names(engine: Engine, namespace: str) -> list[str]:
    """The names of all customers, sorted."""
    rows = await engine.fetch(namespace, Sql("SELECT name FROM __ns__.customer ORDER BY name"))
    return [row[0] for row in rows]


async def log(engine: Engine, namespace: str) -> list[tuple[Any, ...]]:
    """(position, transaction, record, version, last) of the whole log, numbered up to now."""
    await engine.sequence(namespace)
    text = "SELECT position, transaction_id, record_id, record_version, last FROM __ns__._log ORDER BY position"
    return [(row[0], str(row[1]), row[2], row[3], bool(row[4])) for row in await engine.fetch(namespace, Sql(text))]
