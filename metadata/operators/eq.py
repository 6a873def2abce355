"""eq: the same value."""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from storage.engine import Dialect


class Eq(Operator):
    """True for an equal value; null equals nothing here (that is isNull)."""

    name = "eq"
    argument = Argument.VALUE

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """The plain comparison, which indexes know."""
        return column == bind.value()

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """Equality of logical values."""
        return value is not None and bool(value == argument)
