"""in: one of some values."""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from metadata.operators.membership import one_of
from storage.engine import Dialect


class In(Operator):
    """True for a value in the list; an empty list holds nothing."""

    name = "in"
    argument = Argument.VALUES

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """One array parameter, whatever its length."""
        return one_of(field, column, bind, dialect)

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """Membership."""
        return value is not None and value in argument
