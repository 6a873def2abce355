"""hasAll: a list holds every one of some elements."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from metadata.operators.elements import elements
from storage.engine import Dialect
from storage.types import TEXTS


class HasAll(Operator):
    """True when the list holds the whole argument, an empty one included; false for a null."""

    name = "hasAll"
    argument = Argument.ELEMENTS

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """`@>` on PostgreSQL (GIN indexes know it); on SQLite no element of the argument is missing."""
        wanted = bind.value(None, TEXTS)
        if dialect == "postgresql":
            return column.op("@>", is_comparison=True)(wanted)
        each = elements(wanted)
        missing = each.c.value.not_in(sa.select(elements(column).c.value))
        return sa.and_(column.is_not(None), ~sa.exists().select_from(each).where(missing))

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """No element is missing."""
        return value is not None and set(value).issuperset(argument)
