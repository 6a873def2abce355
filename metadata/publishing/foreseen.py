"""What records will hold once documents are published, as expressions over the tables as they still are.

Rules are asked through it before anything is done: a new field holds its default, a renamed choice its new name, what
comes back out of the trash its old value. Steps to other records mean what they mean to a write: system eyes, and null
behind a record that is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from expressions import SqlValue
from metadata.catalog import Entity
from metadata.field import Column, Field
from metadata.publishing.checks import Unforeseen, table_of, value_of
from metadata.publishing.diff import match_entities, match_fields
from metadata.publishing.fills import Copying, fill_of, filled_value
from metadata.publishing.plan import Move, Plan
from storage.engine import Dialect
from storage.sql import column
from storage.types import TIMESTAMP, UUID


@dataclass(frozen=True)
class Foreseen:
    """The records of an entity of the new catalog (`expressions.Columns`); `column` raises `Unforeseen`.

    `steps` is how many to-one steps lead here from the table whose rows are asked; each has an alias of its own.
    """

    plan: Plan
    dialect: Dialect
    entity: Entity
    steps: int = 0

    def column(self, path: tuple[str, ...]) -> SqlValue:
        """A field of the record, or of one behind to-one steps."""
        if len(path) == 1:
            item = self.entity.by_api_name[path[0]]
            return value_of(item, self.field(item))
        target = self.plan.after.entities[self.entity.relations[path[0]].target]
        behind = Foreseen(self.plan, self.dialect, target, self.steps + 1)
        found = behind.column(path[1:])
        if target.table_name not in self.plan.there:
            return SqlValue(_null(found.clause), found.type, found.scale)
        query = sa.select(found.clause).select_from(table_of(target).alias(behind._name))
        query = query.where(
            behind._bare(Column("id", UUID)) == self.field(self.entity.fields[path[0]]),
            behind._bare(Column("deleted_at", TIMESTAMP)).is_(None),
        )
        return SqlValue(query.scalar_subquery(), found.type, found.scale)

    def field(self, item: Field) -> ColumnElement[Any]:
        """The value that a field will have."""
        source = self._sources.get(item.name)
        if source is not None and source.column != item.column:
            moves = self.plan.moves
            return self._moved(next(move for move in moves if move.entity is self.entity and move.item is item))
        there = item.column.name in self.plan.there.get(self.entity.table_name, ())
        kept = self._bare(item.column)
        kept = kept if there else _null(kept)
        return kept if item.system else filled_value(item, source, kept, self.dialect)

    def _moved(self, move: Move) -> ColumnElement[Any]:
        """What a new column is filled with: values of one kind are copied, references to others are dropped."""
        item, source = move.item, move.source
        if isinstance(fill_of(move, self.dialect, self.plan.after.app.time_zone), Copying):
            return filled_value(item, source, self._bare(source.column), self.dialect)
        if move.recovered is None and (source.relation is not None or item.relation is not None):
            return filled_value(item, source, _null(self._bare(item.column)), self.dialect)
        raise Unforeseen(move.name)

    @cached_property
    def _sources(self) -> Mapping[str, Field]:
        """What fields of the entity were before, those with columns."""
        entities = {} if self.plan.before is None else self.plan.before.entities
        before = match_entities(entities, {self.entity.name: self.entity}).get(self.entity.name)
        matched = {} if before is None else match_fields(before, self.entity)
        return {name: source for name, source in matched.items() if source.columns}

    @property
    def _name(self) -> str:
        return f"_{self.steps}" if self.steps else self.entity.table_name

    def _bare(self, item: Column) -> ColumnElement[Any]:
        return column(self._name, item.name, item.type.sqlalchemy())


def _null(clause: ColumnElement[Any]) -> ColumnElement[Any]:
    """No value, of the type of a clause: PostgreSQL takes a bare NULL behind a sub-select for text."""
    return sa.cast(sa.null(), clause.type)
