"""The tables that access writes, and typed queries over them: logical values in, logical values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ClauseElement

from base.clock import timestamp
from base.json import Json
from storage.batch import NAMESPACE, Execute, Expect, Guard, Insert, Sql, Value
from storage.engine import Dialect, Engine
from storage.sql import compile as compile_sql
from storage.types import DATE, INTEGER, TEXT, TEXTS, TIMESTAMP, UUID, ColumnType, time_text

Row = Mapping[str, Any]
"""Logical values by column."""


@dataclass(frozen=True)
class Table:
    """A table by its SQL name and its columns."""

    name: str
    columns: Mapping[str, ColumnType]

    @property
    def clause(self) -> sa.TableClause:
        """The table for statements, under the namespace placeholder."""
        columns = [sa.column(name, type_.sqlalchemy()) for name, type_ in self.columns.items()]
        return sa.table(self.name, *columns, schema=NAMESPACE)

    def widened(self, columns: Mapping[str, ColumnType]) -> Table:
        """The same table with the columns of a company's own fields."""
        return Table(self.name, {**self.columns, **columns}) if columns else self

    def encoded(self, row: Row, dialect: Dialect) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Value, ...]]:
        """Columns, their kinds and the encoded values of a row or of a part of one."""
        names = tuple(row)
        types = [self.columns[name] for name in names]
        values = tuple(type_.encoder(dialect)(row[name]) for name, type_ in zip(names, types, strict=True))
        return names, tuple(type_.kind for type_ in types), values

    def insert(self, rows: Sequence[Row], dialect: Dialect) -> Insert:
        """New rows, all with the columns of the first."""
        encoded = [self.encoded(row, dialect) for row in rows]
        names, kinds, _ = encoded[0]
        return Insert(self.name, names, kinds, tuple(values for _, _, values in encoded))

    def image(self, row: Row) -> Mapping[str, Json]:
        """The JSON image of a row for the log, by column."""
        return {name: shown(value) for name, value in row.items()}


def shown(value: Any) -> Json:
    """A logical value in the JSON form of `storage.types`."""
    match value:
        case datetime():
            return timestamp(value)
        case date():
            return value.isoformat()
        case time():
            return time_text(value)
        case Decimal():
            return format(value, "f")
        case _:
            return value  # type: ignore[no-any-return]


@dataclass(eq=False)
class Query:
    """A statement with typed parameters and, when it reads, typed columns; compiled once per dialect."""

    clause: ClauseElement
    params: Mapping[str, ColumnType] = field(default_factory=dict)
    columns: Mapping[str, ColumnType] = field(default_factory=dict)
    _compiled: dict[Dialect, Sql] = field(default_factory=dict, repr=False)

    async def rows(self, engine: Engine, namespace: str, **values: Any) -> list[dict[str, Any]]:
        """Run it; each row as logical values by column."""
        sql, params = self._bound(engine.dialect, values)
        decoders = [(name, type_.decoder(engine.dialect)) for name, type_ in self.columns.items()]
        found = await engine.fetch(namespace, sql, params)
        return [{name: decode(value) for (name, decode), value in zip(decoders, row, strict=True)} for row in found]

    def execute(
        self, dialect: Dialect, expect_rows: int | None = None, token: str | None = None, **values: Any
    ) -> Execute:
        """It as a statement of a Batch."""
        sql, params = self._bound(dialect, values)
        return Execute(sql, params, expect_rows, token)

    def guard(self, dialect: Dialect, token: str, expect: Expect = Expect.ROW, **values: Any) -> Guard:
        """It as a condition of a Batch."""
        sql, params = self._bound(dialect, values)
        return Guard(token, sql, params, expect)

    def _bound(self, dialect: Dialect, values: Mapping[str, Any]) -> tuple[Sql, tuple[Value, ...]]:
        sql = self._compiled.get(dialect)
        if sql is None:
            sql = self._compiled[dialect] = compile_sql(self.clause, dialect)
        return sql, tuple(self.params[name].encoder(dialect)(values[name]) for name in sql.binds)


def parameter(name: str, type_: ColumnType) -> sa.BindParameter[Any]:
    """A named parameter of a statement."""
    return sa.bindparam(name, type_=type_.sqlalchemy())


SYSTEM_COLUMNS: Mapping[str, ColumnType] = {
    "id": UUID,
    "version": INTEGER,
    "created_at": TIMESTAMP,
    "created_by": UUID,
    "updated_at": TIMESTAMP,
    "updated_by": UUID,
    "owner_id": UUID,
    "team_id": UUID,
    "deleted_at": TIMESTAMP,
    "deleted_by": UUID,
    "deletion_id": UUID,
}
"""The columns of every entity's table."""

MEMBER = Table(
    "member",
    {
        **SYSTEM_COLUMNS,
        "name": TEXT,
        "email": TEXT,
        "locale": TEXT,
        "time_zone": TEXT,
        "status": TEXT,
        "manager_id": UUID,
        "hired_on": DATE,
        "left_on": DATE,
    },
)
TEAM = Table("team", {**SYSTEM_COLUMNS, "name": TEXT, "parent_id": UUID, "lead_id": UUID})
TEAM_MEMBER = Table("_team_member", {"team_id": UUID, "member_id": UUID})
MEMBER_ROLE = Table("_member_role", {"member_id": UUID, "role": TEXT})
TOKEN = Table(
    "_token",
    {
        "id": UUID,
        "hash": TEXT,
        "member_id": UUID,
        "name": TEXT,
        "roles": TEXTS,
        "created_at": TIMESTAMP,
        "maker_id": UUID,
        "expires_at": TIMESTAMP,
        "revoked_at": TIMESTAMP,
    },
)
COMPANY = Table("company", {"id": TEXT, "name": TEXT, "state": TEXT, "namespace": TEXT, "created_at": TIMESTAMP})
"""In the control namespace: the only thing of a company that stands outside its own namespace."""
