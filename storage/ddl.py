"""DDL as texts: Alembic's operations written out, one statement per text, tables under `__ns__.`.

Whoever makes a text gives the names; they are quoted where they must be. Nothing here is renamed or retyped, and an
added column is always nullable, so that every statement of the version before goes on working.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, time
from typing import Any, TypeAlias

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.schema import MetaData
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import UserDefinedType

from base.text import FOLD_FUNCTION
from storage.batch import NAMESPACE, Value
from storage.engine import Dialect
from storage.names import quoted
from storage.types import ColumnType, postgres_name

ColumnSpec: TypeAlias = tuple[str, ColumnType, bool]
"""A column: name, type, and whether it may not be null."""

IndexPart: TypeAlias = str | tuple[str, str]
"""A column's name, `(name, "desc")`, or `("fold", name)` for its case-folded text."""


class _Written(UserDefinedType[Any]):
    """A column type that is already text in the dialect."""

    cache_ok = True

    def __init__(self, text: str) -> None:
        self.text = text

    def get_col_spec(self, **_: object) -> str:
        """The text."""
        return self.text


class _Texts:
    """What Alembic writes to: it writes each statement in one go."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> None:
        """Keep one statement."""
        statement = text.strip().removesuffix(";")
        if statement:
            self.texts.append(statement)

    def flush(self) -> None:
        """Nothing waits."""


def create_table(table: str, columns: Sequence[ColumnSpec], primary_key: Sequence[str], dialect: Dialect) -> list[str]:
    """A table with its primary key. On SQLite it is STRICT: a value of another type is refused, as on PostgreSQL."""
    parts = [
        sa.Column(name, _Written(type_.ddl(dialect)), nullable=not (required or name in primary_key))
        for name, type_, required in columns
    ]
    key = sa.PrimaryKeyConstraint(*primary_key)
    return _written(dialect, lambda op: op.create_table(table, *parts, key, schema=NAMESPACE, sqlite_strict=True))


def add_column(table: str, column: str, type_: ColumnType, dialect: Dialect, filled: Any = None) -> list[str]:
    """A new nullable column of an existing table. The rows there are get `filled`, a logical value, all at once.

    Both engines keep a constant beside the table for rows of before: no row is touched. On PostgreSQL rows to come
    get null again; on SQLite, which cannot take a default back, every row names all its columns anyway.
    """
    added: sa.Column[Any] = sa.Column(column, _Written(type_.ddl(dialect)), nullable=True)
    statements = _written(dialect, lambda op: op.add_column(table, added, schema=NAMESPACE))
    if filled is None:
        return statements
    constant = literal(type_.encoder(dialect)(filled), type_, dialect)
    filling = [f"{statement} DEFAULT {constant}" for statement in statements]
    if dialect == "sqlite":
        return filling
    return filling + _written(dialect, lambda op: op.alter_column(table, column, schema=NAMESPACE, server_default=None))


def literal(value: Value, type_: ColumnType, dialect: Dialect) -> str:
    """A driver's value as a constant in DDL, where no parameter can stand."""
    if dialect == "sqlite":
        return repr(value) if isinstance(value, int | float) else _quoted_text(str(value))
    if isinstance(value, list):
        listed = ", ".join(_quoted_text(str(part)) for part in value)
        return f"ARRAY[{listed}]::{postgres_name(type_.kind)}"
    text = value.isoformat() if isinstance(value, date | time) else str(value)
    return f"{_quoted_text(text)}::{postgres_name(type_.kind)}"


def _quoted_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def create_index(
    name: str,
    table: str,
    parts: Sequence[IndexPart],
    dialect: Dialect,
    *,
    unique: bool = False,
    where: ColumnElement[bool] | None = None,
    where_live: bool = False,
    concurrently: bool = False,
) -> list[str]:
    """An index; `where_live` limits it to rows that are not deleted, `where` to any other condition.

    Descending parts have their nulls last on PostgreSQL, as lists are ordered; SQLite knows no such index and takes
    the plain one. `concurrently` is PostgreSQL's way that keeps nobody out, and stands in no transaction.
    """
    live = sa.text("deleted_at IS NULL") if where_live else None
    condition = where if live is None else live if where is None else sa.and_(where, live)
    columns: list[Any] = [_index_part(part, dialect) for part in parts]
    return _written(
        dialect,
        lambda op: op.create_index(
            name,
            table,
            columns,
            schema=NAMESPACE,
            unique=unique,
            postgresql_where=condition,
            sqlite_where=condition,
            postgresql_concurrently=concurrently,
        ),
    )


def drop_index(name: str, table: str, dialect: Dialect) -> list[str]:
    """Remove an index."""
    return _written(dialect, lambda op: op.drop_index(name, table, schema=NAMESPACE))


def drop_table(table: str, dialect: Dialect) -> list[str]:
    """Remove a table with its rows and indexes."""
    return _written(dialect, lambda op: op.drop_table(table, schema=NAMESPACE))


def drop_column(table: str, column: str, dialect: Dialect) -> list[str]:
    """Remove a column; on SQLite its indexes must be gone before."""
    return _written(dialect, lambda op: op.drop_column(table, column, schema=NAMESPACE))


def _index_part(part: IndexPart, dialect: Dialect) -> str | sa.TextClause:
    match part:
        case str():
            return part
        case ("fold", column):
            return sa.text(f"{NAMESPACE}.{FOLD_FUNCTION}({quoted(column)})")
        case (column, "desc"):
            return sa.text(f"{quoted(column)} DESC{' NULLS LAST' if dialect == 'postgresql' else ''}")
        case _:
            raise ValueError(f"no index part {part!r}")


def _written(dialect: Dialect, operate: Callable[[Operations], object]) -> list[str]:
    texts = _Texts()
    context = MigrationContext.configure(
        dialect_name=dialect, opts={"as_sql": True, "output_buffer": texts, "target_metadata": MetaData()}
    )
    operate(Operations(context))
    return texts.texts
