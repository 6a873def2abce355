"""Occurrences of tables in a statement: each has its own short name, and notes which columns were asked of it."""

from __future__ import annotations

from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from metadata.catalog import Entity
from metadata.field import Column
from storage.sql import column
from storage.types import ColumnType


class Names:
    """Gives out alias names that are unique within one statement and equal for equal statements."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def next(self, prefix: str) -> str:
        """A fresh name: `t1`, `p2`."""
        return f"{prefix}{next(self._numbers)}"


class Alias:
    """One occurrence of an entity's rows, as the table itself or as a page taken from it."""

    def __init__(self, entity: Entity, name: str, names: Names) -> None:
        self.entity = entity
        self.name = name
        self.names = names
        self.used: dict[str, ColumnType] = {}

    def column(self, item: Column) -> ColumnElement[Any]:
        """A column of a field, ungated: what the platform itself sees."""
        self.used[item.name] = item.type
        return column(self.name, item.name, item.type.sqlalchemy())

    def field(self, name: str) -> ColumnElement[Any]:
        """The column of a field by the field's name (`id`, `owner`, `deletedAt`), ungated."""
        return self.column(self.entity.fields[name].column)

    @property
    def table(self) -> sa.FromClause:
        """The entity's table under this alias."""
        return self.entity.table.alias(self.name)

    def live(self) -> ColumnElement[bool]:
        """Rows that are not deleted."""
        return self.field("deletedAt").is_(None)

    def sibling(self, entity: Entity) -> Alias:
        """Another table's occurrence in the same statement."""
        return Alias(entity, self.names.next("t"), self.names)

    def page(self) -> Alias:
        """The same entity's rows as a page in the same statement."""
        return Alias(self.entity, self.names.next("p"), self.names)
