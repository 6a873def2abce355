"""lt: less than a value."""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from storage.engine import Dialect


class Lt(Operator):
    """Ordering of the field's type (texts by code point, dates by time); false for a null."""

    name = "lt"
    argument = Argument.VALUE

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """The plain comparison."""
        return column < bind.value()

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """Ordering of logical values."""
        return value is not None and bool(value < argument)
