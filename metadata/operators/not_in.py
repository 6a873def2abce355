"""notIn: none of some values, or no value."""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from metadata.operators.membership import one_of
from storage.engine import Dialect
from storage.sql import is_not_true


class NotIn(Operator):
    """The negation of in, so it includes nulls."""

    name = "notIn"
    argument = Argument.VALUES
    matches_null = True

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """Not true that it is one of them."""
        return is_not_true(one_of(field, column, bind, dialect))

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """Absence; null is in no list."""
        return value is None or value not in argument
