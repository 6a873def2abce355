"""hasAny: a list holds at least one of some elements."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from metadata.operators.elements import elements
from storage.engine import Dialect
from storage.types import TEXTS


class HasAny(Operator):
    """True when an element of the argument is in the list; false for a null and for an empty argument."""

    name = "hasAny"
    argument = Argument.ELEMENTS

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """`&&` on PostgreSQL (GIN indexes know it), json_each on SQLite."""
        wanted = bind.value(None, TEXTS)
        if dialect == "postgresql":
            return column.op("&&", is_comparison=True)(wanted)
        each = elements(column)
        return sa.exists().select_from(each).where(each.c.value.in_(sa.select(elements(wanted).c.value)))

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """A common element."""
        return value is not None and not set(value).isdisjoint(argument)
