"""Occurrences of tables in a statement: each has its own short name, and notes which columns were asked of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import TypeEngine

from metadata.catalog import Entity
from metadata.field import Column
from storage.sql import column, labelled
from storage.types import ColumnType


class Names:
    """Gives out alias names that are unique within one statement and equal for equal statements."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def next(self, prefix: str) -> str:
        """A fresh name: `t1`, `p2`."""
        return f"{prefix}{next(self._numbers)}"


class Alias:
    """One occurrence of an entity's rows, as the table itself or as a page taken from it.

    `one`: a single row is looked at, so that what is asked of it is best asked for it alone. Its siblings inherit
    that: they belong to the same row.
    """

    def __init__(
        self, entity: Entity, name: str, names: Names, inner: Alias | None = None, *, one: bool = False
    ) -> None:
        self.entity = entity
        self.name = name
        self.names = names
        self.one = one
        self.used: dict[str, ColumnType] = {}
        self.computed: dict[Hashable, tuple[str, ColumnElement[Any]]] = {}
        self._inner = inner

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
        return Alias(entity, self.names.next("t"), self.names, one=self.one)

    def page(self) -> Alias:
        """A page of these rows: a limited sub-select that will project what is asked of it."""
        return Alias(self.entity, self.names.next("p"), self.names, self)

    def fenced(self) -> Alias:
        """A page that may as well be the table itself: it has the same name."""
        return Alias(self.entity, self.name, self.names, self)

    def once(
        self, key: Hashable, make: Callable[[Alias], ColumnElement[Any]], type_: TypeEngine[Any]
    ) -> ColumnElement[Any] | None:
        """On a page: an expression over the rows below that is computed once a row, however often it is used.

        None on a table, where there is no place to compute it.
        """
        if self._inner is None:
            return None
        if key not in self.computed:
            self.computed[key] = (f"_g{len(self.computed)}", make(self._inner))
        return column(self.name, self.computed[key][0], type_)

    def projected(self, over: Alias) -> list[ColumnElement[Any]]:
        """What a page's sub-select over `over` gives: the columns that were asked of it, and the computed ones."""
        used = self.used or {"id": self.entity.fields["id"].column.type}
        columns = [labelled(column(over.name, name, kind.sqlalchemy()), name) for name, kind in used.items()]
        return columns + [labelled(clause, name) for name, clause in self.computed.values()]
