"""Whether a column's value is in a list argument, as each engine does it with one parameter."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Bind
from storage.engine import Dialect
from storage.sql import InList
from storage.types import TEXT, float_text


def one_of(field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
    """`column` is one of the values of the list argument; null for a null."""
    if dialect == "sqlite" and field.column.type.kind == "float":
        # SQLite does not read every double back from JSON to its last bit, so their shortest texts are compared
        return InList(sa.func.pliant_float(column), bind.values(float_text, TEXT))
    return InList(column, bind.values())
