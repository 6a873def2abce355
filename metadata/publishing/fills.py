"""Fills: the statements with which a publish brings the rows there are to what the new documents ask.

A required field's default goes into rows that have none; a renamed choice value is mapped.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.dml import Update

from metadata.catalog import Entity
from metadata.field import Field
from metadata.publishing.census import holds
from storage.batch import NAMESPACE, Execute
from storage.engine import Dialect
from storage.sql import compile
from storage.types import ColumnType


def fill_default(entity: Entity, item: Field, dialect: Dialect) -> Execute:
    """Put a field's default into every row in which it is null."""
    column = _column(item)
    value = item.type.logical(item.options, item.default)
    clause = _update(entity).where(column.is_(None)).values({item.column.name: _bind("filled", item.column.type)})
    return _execute(clause, {"filled": item.column.type.encoder(dialect)(value)}, dialect)


def map_choice(entity: Entity, item: Field, old: str, new: str, dialect: Dialect) -> Execute:
    """Replace a renamed choice value in every row, inside lists too."""
    column, text = _column(item), ColumnType("text")
    before, after = _bind("before", text), _bind("after", text)
    is_list = item.column.type.kind == "texts"
    replaced: ColumnElement[Any] = after
    if is_list and dialect == "postgresql":
        replaced = sa.func.array_replace(column, before, after)
    elif is_list:
        each = sa.func.json_each(column).table_valued("value")
        part = sa.case((each.c.value == before, after), else_=each.c.value)
        replaced = sa.select(sa.func.json_group_array(part)).select_from(each).scalar_subquery()
    clause = _update(entity).where(holds(column, is_list, before, dialect)).values({item.column.name: replaced})
    return _execute(clause, {"before": old, "after": new}, dialect)


def _update(entity: Entity) -> Update:
    columns: list[sa.ColumnClause[Any]] = [
        sa.column(column.name, column.type.sqlalchemy()) for item in entity.fields.values() for column in item.columns
    ]
    return sa.update(sa.table(entity.table_name, *columns, schema=NAMESPACE))


def _column(item: Field) -> ColumnElement[Any]:
    return sa.column(item.column.name, item.column.type.sqlalchemy())


def _bind(name: str, kind: ColumnType) -> ColumnElement[Any]:
    return sa.bindparam(name, type_=kind.sqlalchemy())


def _execute(clause: Update, values: dict[str, Any], dialect: Dialect) -> Execute:
    sql = compile(clause, dialect)
    return Execute(sql, tuple(values[name] for name in sql.binds))
