"""isNull: whether there is no value."""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from storage.engine import Dialect


class IsNull(Operator):
    """True asks for rows without a value, false for rows with one."""

    name = "isNull"
    argument = Argument.BOOLEAN
    matches_null = True

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """IS NULL or IS NOT NULL: the argument is part of the statement."""
        return column.is_(None) if bind.literal else column.is_not(None)

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """Whether the value is missing."""
        return (value is None) is bool(argument)
