"""What records will hold once documents are published, told of the tables as they still are.

What is new is tested through it before anything is done: a new field holds its default, a renamed choice its new name,
what comes back out of the trash its old value. Steps to other records mean what they mean to a write: system eyes, and
null behind a record that is deleted. Most of it SQL can say; a value that is converted to another type is made in
Python, of what SQL reads (`Foreseen.recipe`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from expressions import SqlValue
from metadata.catalog import Entity, Unique
from metadata.field import Column, Field
from metadata.publishing.checks import Unforeseen, table_of, value_of
from metadata.publishing.convert import same_kind
from metadata.publishing.diff import match_entities, match_fields
from metadata.publishing.fills import Converting, fill_of, filled_value, with_default
from metadata.publishing.plan import Move, Plan
from storage.engine import Dialect
from storage.sql import column, fold
from storage.types import TIMESTAMP, UUID


@dataclass(frozen=True)
class Recipe:
    """How one value of a record is known: what is read, and the value (logical, or None) that is made of it."""

    clauses: tuple[ColumnElement[Any], ...]
    made: Callable[[Sequence[Any]], Any]


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
        found = self._behind(path[0]).column(path[1:])
        return SqlValue(self._stepped(path[0], found.clause), found.type, found.scale)

    def recipe(self, path: tuple[str, ...]) -> Recipe:
        """The same, for what SQL cannot say too."""
        if len(path) > 1:
            found = self._behind(path[0]).recipe(path[1:])
            return replace(found, clauses=tuple(self._stepped(path[0], clause) for clause in found.clauses))
        item = self.entity.by_api_name[path[0]]
        if item.name not in self._converting:
            decode = item.column.type.decoder(self.dialect)
            return Recipe((self.field(item),), lambda read: decode(read[0]))
        converting = self._converting[item.name]
        columns, make = (Column("id", UUID), *converting.columns), converting.maker()
        # without an id there is no record, and no default either
        return Recipe(
            tuple(self._bare(column) for column in columns),
            lambda read: None if read[0] is None else make(*read[1:]).value,
        )

    def field(self, item: Field) -> ColumnElement[Any]:
        """The value that a field will have. Raises `Unforeseen`."""
        if item.name in self._converting:
            raise Unforeseen(f"{self.entity.name}.{item.name}")
        source = self._sources.get(item.name)
        if source is not None and source.column != item.column:
            return self._moved(item, source)
        kept = self._bare(item.column)
        kept = kept if item.column.name in self._there else _null(kept)
        return kept if item.system else filled_value(item, source, kept, self.dialect)

    def was(self, item: Field) -> Field | None:
        """The field that a field was before, of whatever type."""
        return self._sources.get(item.name)

    def keeps(self, item: Field) -> Field | None:
        """The field whose values a field will hold, as they are but for renamed choices and defaults."""
        source = self._sources.get(item.name)
        moved = item.name in self._moves
        return None if source is None or (moved and not same_kind(source, item)) else source

    def returns(self, item: Field) -> bool:
        """Whether a field that was not served holds values that come back out of the trash."""
        return item.name not in self._sources and item.column.name in self._there

    def converts(self, item: Field) -> bool:
        """Whether what a field will hold is made of values of another type, one by one."""
        return item.name in self._converting

    def _moved(self, item: Field, source: Field) -> ColumnElement[Any]:
        """What a new column is filled with where nothing is converted: references to another entity are dropped."""
        if same_kind(source, item):
            return filled_value(item, source, self._bare(source.column), self.dialect)
        recovered, value = self._moves[item.name].recovered, _null(self._bare(item.column))
        if recovered is not None:  # where nothing was said since, what lies in the trash is said again
            value = sa.case((self._bare(source.column).is_(None), self._bare(recovered)), else_=value)
        return with_default(item, source, value, self.dialect)

    def _behind(self, step: str) -> Foreseen:
        target = self.plan.after.entities[self.entity.relations[step].target]
        return Foreseen(self.plan, self.dialect, target, self.steps + 1)

    def _stepped(self, step: str, clause: ColumnElement[Any]) -> ColumnElement[Any]:
        """What a record behind a step says, of this one."""
        behind = self._behind(step)
        if behind.entity.table_name not in self.plan.there:
            return _null(clause)
        query = sa.select(clause).select_from(table_of(behind.entity).alias(behind._name))
        return query.where(
            behind._bare(Column("id", UUID)) == self.field(self.entity.fields[step]),
            behind._bare(Column("deleted_at", TIMESTAMP)).is_(None),
        ).scalar_subquery()

    @cached_property
    def _sources(self) -> Mapping[str, Field]:
        """What fields of the entity were before, those with columns."""
        entities = {} if self.plan.before is None else self.plan.before.entities
        before = match_entities(entities, {self.entity.name: self.entity}).get(self.entity.name)
        matched = {} if before is None else match_fields(before, self.entity)
        return {name: source for name, source in matched.items() if source.columns}

    @property
    def _there(self) -> Collection[str]:
        """Columns that the table has already."""
        return self.plan.there.get(self.entity.table_name, ())

    @cached_property
    def _moves(self) -> Mapping[str, Move]:
        return {move.item.name: move for move in self.plan.moves if move.entity is self.entity}

    @cached_property
    def _converting(self) -> Mapping[str, Converting]:
        """Fields of which values are made one by one in Python, by name; what is copied or dropped SQL can say."""
        zone = self.plan.after.app.time_zone
        fills = {
            name: fill_of(move, self.dialect, zone)
            for name, move in self._moves.items()
            if move.item.relation is None and (move.source.relation is None or move.recovered is not None)
        }
        return {name: fill for name, fill in fills.items() if isinstance(fill, Converting)}

    @property
    def _name(self) -> str:
        return f"_{self.steps}" if self.steps else self.entity.table_name

    def _bare(self, item: Column) -> ColumnElement[Any]:
        return column(self._name, item.name, item.type.sqlalchemy())


def unique_keys(foreseen: Foreseen, unique: Unique) -> list[ColumnElement[Any]]:
    """What must differ between live records, each where no part is null. Raises `Unforeseen`."""
    keys = []
    for name in unique.fields:
        item = foreseen.entity.fields[name]
        value = foreseen.field(item)
        keys.append(fold(value) if unique.ignore_case and item.column.type.kind == "text" else value)
    return keys


def _null(clause: ColumnElement[Any]) -> ColumnElement[Any]:
    """No value, of the type of a clause: PostgreSQL takes a bare NULL behind a sub-select for text."""
    return sa.cast(sa.null(), clause.type)
