"""path: the value at a place inside a json field equals a JSON value."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator
from storage.engine import Dialect
from storage.json_path import canonical_json, value_at
from storage.types import TEXT, TEXTS


class Path(Operator):
    """`{path: ["lines", "0", "sku"], eq: "A-1"}`: objects are entered by key, arrays by position (-1 is the last).

    Equal as JSON: the order of keys and the spelling of numbers do not count. False for a null field and where nothing
    stands at the path.
    """

    name = "path"
    argument = Argument.PATH

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """`#>` and jsonb on PostgreSQL, a registered function on SQLite."""
        path, wanted = bind.part("path", list, TEXTS), bind.part("eq", canonical_json, TEXT)
        if dialect == "postgresql":
            found = column.op("#>", return_type=JSONB())(path)
            return sa.cast(found, JSONB()) == sa.cast(wanted, JSONB())
        return sa.func.pliant_json_at(column, path) == wanted

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """The same walk in Python."""
        if value is None:
            return False
        found, there = value_at(value, argument["path"])
        return found and canonical_json(there) == canonical_json(argument["eq"])
