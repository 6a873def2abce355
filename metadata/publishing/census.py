"""Counting rows before a publish: what stands against a change, and whether a table has rows at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from expressions import SqlValue, Type, condition
from metadata.catalog import Entity, Rule
from metadata.field import Column, Field
from storage.batch import NAMESPACE
from storage.engine import Dialect, Engine
from storage.sql import compile, compile_with_constants, fold


class Census:
    """Counts of live rows of one company's tables, as they are at this moment."""

    def __init__(self, engine: Engine, namespace: str) -> None:
        self._engine = engine
        self._namespace = namespace

    async def is_empty(self, entity: Entity) -> bool:
        """Whether a table has no row, deleted ones included."""
        query: sa.Select[Any] = (
            sa.select(sa.literal_column("1")).select_from(_table(entity)).limit(sa.literal_column("1"))
        )
        return not await self._fetch(query)

    async def count(self, entity: Entity) -> int:
        """Live rows."""
        return await self._count(entity, sa.true())

    async def count_nulls(self, entity: Entity, item: Field) -> int:
        """Live rows in which a field is null."""
        return await self._count(entity, _column(item.column).is_(None))

    async def count_value(self, entity: Entity, item: Field, value: str) -> int:
        """Rows, deleted ones included, that hold a choice value."""
        column = _column(item.column)
        wanted = sa.bindparam("value", type_=sa.Text())
        found = holds(column, item.column.type.kind == "texts", wanted, self._engine.dialect)
        query = sa.select(sa.func.count()).select_from(_table(entity)).where(found)
        rows = await self._fetch(query, value=value)
        return int(rows[0][0])

    async def count_duplicates(self, entity: Entity, columns: Sequence[Column], ignore_case: bool) -> int:
        """Groups of live rows that share all of these values, none of them null."""
        clauses = [_column(column) for column in columns]
        keys = [
            fold(clause) if ignore_case and column.type.kind == "text" else clause
            for clause, column in zip(clauses, columns, strict=True)
        ]
        groups = (
            sa.select(sa.literal_column("1"))
            .select_from(_table(entity))
            .where(_live(), *(clause.is_not(None) for clause in clauses))
            .group_by(*keys)
            .having(sa.func.count() > sa.literal_column("1"))
            .subquery()
        )
        return int((await self._fetch(sa.select(sa.func.count()).select_from(groups)))[0][0])

    async def count_breaking(self, entity: Entity, rule: Rule, there: Collection[str]) -> int:
        """Live rows that break a rule over the record's own fields; columns not in `there` are still null."""
        columns, dialect = _OwnColumns(entity, there), self._engine.dialect
        broken = condition(rule.check, columns, dialect, negated=True)
        applies = condition(rule.when, columns, dialect) if rule.when is not None else sa.true()
        query = sa.select(sa.func.count()).select_from(_table(entity)).where(_live(), applies, broken)
        made = compile_with_constants(query, dialect)
        params = tuple(made.constants[name] for name in made.sql.binds)
        return int((await self._engine.fetch(self._namespace, made.sql, params))[0][0])

    async def _count(self, entity: Entity, condition: ColumnElement[Any]) -> int:
        query = sa.select(sa.func.count()).select_from(_table(entity)).where(_live(), condition)
        return int((await self._fetch(query))[0][0])

    async def _fetch(self, query: sa.Select[Any], **values: Any) -> Sequence[Sequence[Any]]:
        sql = compile(query, self._engine.dialect)
        return await self._engine.fetch(self._namespace, sql, tuple(values[name] for name in sql.binds))


class _OwnColumns:
    """The fields of one table as expressions name them."""

    def __init__(self, entity: Entity, there: Collection[str]) -> None:
        self._entity = entity
        self._there = there

    def column(self, path: tuple[str, ...]) -> SqlValue:
        """The column of a field; null where publishing is still to add it."""
        (name,) = path
        item = self._entity.by_api_name[name]
        column = item.column
        clause: ColumnElement[Any] = _column(column) if column.name in self._there else sa.null()
        kind = Type.ID if item.relation is not None or name == "id" else item.type.expression
        return SqlValue(clause, kind or Type.NULL, column.type.scale)


def null_rows(entity: Entity, item: Field) -> sa.Select[Any]:
    """One live row in which a field is null."""
    one: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(_table(entity))
    return one.where(_live(), _column(item.column).is_(None)).limit(sa.literal_column("1"))


def holds(
    column: ColumnElement[Any], is_list: bool, wanted: ColumnElement[Any], dialect: Dialect
) -> ColumnElement[Any]:
    """Whether a choice column, or a column of several choices, holds a value."""
    if not is_list:
        return column == wanted
    if dialect == "postgresql":
        return wanted == sa.func.any(column)
    values = sa.func.json_each(column).table_valued("value")
    return sa.exists(sa.select(sa.literal_column("1")).select_from(values).where(values.c.value == wanted))


def _table(entity: Entity) -> sa.TableClause:
    return sa.table(entity.table_name, schema=NAMESPACE)


def _column(column: Column) -> ColumnElement[Any]:
    return sa.column(column.name, column.type.sqlalchemy())


def _live() -> ColumnElement[bool]:
    return sa.column("deleted_at").is_(None)
