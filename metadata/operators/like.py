"""like: a pattern with % (any text) and _ (any one character); case counts."""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from metadata.operators.wildcards import like_sql, matches_pattern
from storage.engine import Dialect


class Like(Operator):
    """A backslash makes the next character a letter. False for a null."""

    name = "like"
    argument = Argument.TEXT

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """LIKE on PostgreSQL, GLOB on SQLite (whose LIKE ignores the case of ASCII letters)."""
        return like_sql(column, bind, dialect)

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """The same pattern as a regular expression."""
        return value is not None and matches_pattern(value, argument)
