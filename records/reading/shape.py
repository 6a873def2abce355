"""Shapes of JSON in SQL: a row as an object, a sub-select of one row, an aggregate of rows as a list.

PostgreSQL builds objects fastest from a row (`row_to_json` over a sub-select whose column names are the keys), SQLite
from `json_object`. Keys that are too long for a column name, or too many, go through `JsonObject` on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from records.alias import Names
from storage.engine import Dialect
from storage.names import quoted
from storage.sql import NAME_BYTES, JsonObject, labelled

Pairs = Sequence[tuple[str, ColumnElement[Any]]]
"""Response keys and values in their JSON form, in response order."""

MAX_COLUMNS = 1_000
"""PostgreSQL takes 1,664 columns in a SELECT."""


def fits_columns(pairs: Pairs, dialect: Dialect) -> bool:
    """Whether the keys can be column names of a PostgreSQL row."""
    return dialect == "postgresql" and len(pairs) <= MAX_COLUMNS and all(len(key) <= NAME_BYTES for key, _ in pairs)


def row_of(name: str) -> ColumnElement[Any]:
    """The object of a sub-select's row (PostgreSQL)."""
    return sa.literal_column(f"row_to_json({quoted(name)})", sa.types.NullType())


def object_query(
    pairs: Pairs,
    names: Names,
    dialect: Dialect,
    source: sa.FromClause | None = None,
    conditions: Sequence[ColumnElement[bool]] = (),
) -> ColumnElement[Any]:
    """A scalar sub-select: the object of the one row found, or null."""
    if not fits_columns(pairs, dialect):
        query = sa.select(JsonObject(pairs))
        return _over(query, source, conditions).scalar_subquery()
    name = names.next("x")
    inner = _over(sa.select(*(labelled(value, key) for key, value in pairs)), source, conditions)
    return sa.select(row_of(name)).select_from(inner.subquery(name)).scalar_subquery()


def _over(
    query: sa.Select[Any], source: sa.FromClause | None, conditions: Sequence[ColumnElement[bool]]
) -> sa.Select[Any]:
    return query if source is None else query.select_from(source).where(*conditions)


def row_objects(
    pairs: Pairs, source: sa.FromClause, names: Names, dialect: Dialect
) -> tuple[ColumnElement[Any], sa.FromClause]:
    """The object of each row of `source`, and the FROM with which it stands."""
    if not fits_columns(pairs, dialect):
        return JsonObject(pairs), source
    name = names.next("x")
    lateral = sa.select(*(labelled(value, key) for key, value in pairs)).lateral(name)
    return row_of(name), sa.join(source, lateral, sa.true())
