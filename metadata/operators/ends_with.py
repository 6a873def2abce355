"""endsWith: ends with a text, whatever the case; %, _ and \\ are letters like any others."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base.text import fold
from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from storage.engine import Dialect
from storage.sql import constant, like_literal
from storage.sql import fold as fold_column


class EndsWith(Operator):
    """True when the folded value ends with a text that is folded too (`base.text.fold`); false for a null."""

    name = "endsWith"
    argument = Argument.TEXT

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """LIKE on PostgreSQL (trigram indexes know it); on SQLite a search for the text itself."""
        folded = fold_column(column)
        if dialect == "postgresql":
            return folded.like(bind.text(lambda text: f"%{like_literal(fold(text))}"))
        tail = bind.text(fold)
        empty = sa.and_(sa.func.length(tail) == constant(0), column.is_not(None))
        return sa.or_(sa.func.substr(folded, -sa.func.length(tail, type_=sa.Integer())) == tail, empty)

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """The same on folded texts."""
        return value is not None and fold(value).endswith(fold(argument))
