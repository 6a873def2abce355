"""neq: another value, or none."""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from storage.engine import Dialect


class Neq(Operator):
    """The negation of eq, so it includes nulls."""

    name = "neq"
    argument = Argument.VALUE
    matches_null = True

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """IS DISTINCT FROM."""
        return column.is_distinct_from(bind.value())

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """Inequality; null differs from every value."""
        return value is None or bool(value != argument)
