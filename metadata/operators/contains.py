"""contains: contains a text, whatever the case; %, _ and \\ are letters like any others."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base.text import fold
from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from storage.engine import Dialect
from storage.sql import constant, like_pattern
from storage.sql import fold as fold_column


class Contains(Operator):
    """True when the folded value contains a text that is folded too (`base.text.fold`); false for a null."""

    name = "contains"
    argument = Argument.TEXT

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """LIKE on PostgreSQL (trigram indexes know it); on SQLite a search for the text itself."""
        folded = fold_column(column)
        if dialect == "postgresql":
            return folded.like(bind.text(lambda text: like_pattern(fold(text))))
        return sa.func.instr(folded, bind.text(fold)) > constant(0)

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """The same on folded texts."""
        return value is not None and fold(argument) in fold(value)
