"""Shapes of JSON in SQL: the object of a row as a scalar sub-select."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from storage.json_sql import JsonObject

Pairs = Sequence[tuple[str, ColumnElement[Any]]]
"""Response keys and values in their JSON form, in response order."""


def object_query(
    pairs: Pairs, source: sa.FromClause, conditions: Sequence[ColumnElement[bool]] = ()
) -> ColumnElement[Any]:
    """A scalar sub-select: the object of the one row found, or null."""
    return sa.select(JsonObject(pairs)).select_from(source).where(*conditions).scalar_subquery()
