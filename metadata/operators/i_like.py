"""iLike: like, whatever the case."""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql import ColumnElement

from base.text import fold
from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from metadata.operators.wildcards import like_sql, matches_pattern
from storage.engine import Dialect
from storage.sql import fold as fold_column


class ILike(Operator):
    """The folded value against the pattern whose letters are folded. False for a null."""

    name = "iLike"
    argument = Argument.TEXT

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """LIKE on PostgreSQL, GLOB on SQLite (whose LIKE ignores the case of ASCII letters)."""
        return like_sql(fold_column(column), bind, dialect, fold)

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """The same pattern as a regular expression."""
        return value is not None and matches_pattern(fold(value), argument, fold)
