"""has: a list holds an element."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from metadata.operators.elements import elements
from storage.engine import Dialect
from storage.types import TEXTS


class Has(Operator):
    """True when the element is in the list; false for a null."""

    name = "has"
    argument = Argument.ELEMENT

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """`@>` on PostgreSQL (GIN indexes know it), json_each on SQLite."""
        if dialect == "postgresql":
            return column.op("@>", is_comparison=True)(bind.value(lambda element: [element], TEXTS))
        each = elements(column)
        return sa.exists().select_from(each).where(each.c.value == bind.text())

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """Membership."""
        return value is not None and argument in value
