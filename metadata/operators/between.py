"""between: from one value to another, both included."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from storage.engine import Dialect


class Between(Operator):
    """True from `from` to `to`; false for a null, and for a range that ends before it begins."""

    name = "between"
    argument = Argument.RANGE

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """Two comparisons."""
        return sa.and_(column >= bind.part("from"), column <= bind.part("to"))

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """Two comparisons."""
        return value is not None and bool(argument["from"] <= value <= argument["to"])
