"""The elements of a list column as rows, on SQLite."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement


def elements(array: ColumnElement[Any]) -> sa.TableValuedAlias:
    """`json_each(array)` with its column `value`; a null has no elements."""
    return sa.func.json_each(array).table_valued(sa.column("value", sa.Text())).alias()
