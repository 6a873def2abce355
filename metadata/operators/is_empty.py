"""isEmpty: a list has no elements."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from storage.engine import Dialect
from storage.sql import constant


class IsEmpty(Operator):
    """True asks for lists without elements, missing ones (null) included; false for the others."""

    name = "isEmpty"
    argument = Argument.BOOLEAN
    matches_null = True

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """The number of elements; the argument is part of the statement."""
        count = sa.func.cardinality(column) if dialect == "postgresql" else sa.func.json_array_length(column)
        number = sa.func.coalesce(count, constant(0))
        return number == constant(0) if bind.literal else number > constant(0)

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """Whether nothing is in it."""
        return (not value) is bool(argument)
