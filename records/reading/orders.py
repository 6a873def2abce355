"""Orders: keys, ORDER BY and keyset predicates, for both directions of paging.

Nulls stand last in both directions unless asked otherwise. The id, ascending, is always the last key. A page that
starts after a cursor is written as limited branches, one per null state of the first key, each with a bound that an
index can start from; OR-ing the null tail in would walk the whole index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.elements import False_, True_

from base.errors import BadInput, Text
from metadata.catalog import Entity
from metadata.field import NEVER_NULL, Field
from records.alias import Alias
from records.gate import Gate
from records.selection import Order
from storage.engine import Dialect
from storage.types import ColumnType

MAX_ORDER_KEYS = 8
"""More keys than this order nothing that a reader could see, and each multiplies the forms of a page's start."""


@dataclass(frozen=True, slots=True)
class Key:
    """One order key as the actor sees it."""

    clause: ColumnElement[Any]
    type: ColumnType
    nullable: bool
    descending: bool
    nulls_first: bool
    plain: ColumnElement[Any] | None = None  # the column itself, where `clause` hides some of its cells
    cell: ColumnElement[bool] | None = None  # the condition under which it does not
    primary: bool = False  # the row's own id

    def solid(self) -> tuple[Key, list[ColumnElement[bool]]]:
        """The key over rows where it is not null, so written that an index can serve it, and what those rows meet."""
        if self.plain is None or self.cell is None:
            return self, []
        return replace(self, clause=self.plain, plain=None, cell=None), [self.plain.is_not(None), self.cell]

    def reversed(self) -> Key:
        """The same key in the opposite direction."""
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)

    def ordered(self, dialect: Dialect) -> ColumnElement[Any]:
        """The key in ORDER BY; where nulls go is written only where the engine would put them elsewhere.

        On PostgreSQL that holds for columns without nulls too, or their descending index (NULLS LAST) would not be
        taken; only the primary key's index knows nothing of it.
        """
        clause = self.clause.desc() if self.descending else self.clause.asc()
        if not self.nullable and (self.primary or dialect == "sqlite"):
            return clause
        default_first = self.descending if dialect == "postgresql" else not self.descending
        if self.nulls_first == default_first:
            return clause
        return clause.nulls_first() if self.nulls_first else clause.nulls_last()

    def beyond(self, value: ColumnElement[Any]) -> ColumnElement[bool]:
        """Strictly after a non-null value."""
        return self.clause < value if self.descending else self.clause > value

    def not_before(self, value: ColumnElement[Any]) -> ColumnElement[bool]:
        """The bound that is implied, and that an index can start from."""
        return self.clause <= value if self.descending else self.clause >= value


def order_keys(orders: Sequence[Order], alias: Alias, gate: Gate) -> tuple[Key, ...]:
    """The keys of a list in its own direction, closed by the id."""
    if len(orders) > MAX_ORDER_KEYS:
        raise BadInput(Text(f"orderBy takes at most {MAX_ORDER_KEYS} keys", f"orderBy 最多 {MAX_ORDER_KEYS} 个键"))
    keys: list[Key] = []
    for order in orders:
        field, clause = _path_value(order.path, alias, gate)
        nullable = len(order.path) > 1 or field.name not in NEVER_NULL
        primary = order.path == ("id",)
        key = Key(clause, field.column.type, nullable, order.descending, order.nulls_first, primary=primary)
        cell = gate.cell(alias, field) if len(order.path) == 1 else sa.true()
        if not isinstance(cell, True_ | False_):
            key = replace(key, plain=alias.column(field.column), cell=cell)
        keys.append(key)
        if primary:
            return tuple(keys)
    own = alias.entity.fields["id"]
    return (*keys, Key(alias.field("id"), own.column.type, False, False, False, primary=True))


def key_fields(orders: Sequence[Order], entity: Entity) -> list[list[Any]]:
    """What an order is, as JSON for the cursor's context."""
    return [[entity.number], *([list(item.path), item.descending, item.nulls_first] for item in orders)]


def _path_value(path: tuple[str, ...], alias: Alias, gate: Gate) -> tuple[Field, ColumnElement[Any]]:
    """The gated value at a path; behind a hidden or deleted row it is null."""
    name = alias.entity.aliases.get(path[0], path[0])
    if len(path) == 1:
        field = alias.entity.by_api_name[name]
        return field, gate.value(alias, field)
    relation = alias.entity.relations[name]
    target = alias.sibling(gate.catalog.entities[relation.target])
    field, clause = _path_value(path[1:], target, gate)
    reference = gate.value(alias, alias.entity.fields[relation.name])
    query = sa.select(clause).select_from(target.table)
    query = query.where(target.field("id") == reference, target.live(), gate.rows(target))
    return field, query.scalar_subquery()


Values = Sequence[ColumnElement[Any] | None]
"""A cursor's values, one per key; None where the value is null (which is known when the SQL is written)."""


def after(keys: Sequence[Key], values: Values) -> ColumnElement[bool]:
    """The rows after a position, in one general predicate."""
    if not keys:
        return sa.false()
    key, value = keys[0], values[0]
    rest = after(keys[1:], values[1:])
    if value is None:
        tie = sa.and_(key.clause.is_(None), rest)
        return sa.or_(tie, key.clause.is_not(None)) if key.nulls_first else tie
    found = sa.or_(key.beyond(value), sa.and_(key.clause == value, rest))
    return sa.or_(found, key.clause.is_(None)) if key.nullable and not key.nulls_first else found


@dataclass(frozen=True, slots=True)
class Branch:
    """A part of a list: the rows that meet the conditions, ordered by these keys."""

    keys: tuple[Key, ...]
    conditions: tuple[ColumnElement[bool], ...] = ()


def branches(keys: Sequence[Key], values: Values | None) -> list[Branch]:
    """The rows after a position (or all) as parts that exclude each other, in the order of their rows."""
    keys = tuple(keys)
    first = keys[0]
    solid, conditions = first.solid()
    solid_keys = (solid, *keys[1:])
    nulls = Branch(keys, (first.clause.is_(None),))
    if values is None:
        if not conditions:
            return [Branch(keys)]
        rows = Branch(solid_keys, tuple(conditions))
        return [nulls, rows] if first.nulls_first else [rows, nulls]
    rest = after(keys[1:], values[1:])
    value = values[0]
    if value is None:
        tail = Branch(keys, (first.clause.is_(None), rest))
        known = conditions or [first.clause.is_not(None)]
        return [tail, Branch(solid_keys, tuple(known))] if first.nulls_first else [tail]
    bounds = (solid.not_before(value), sa.or_(solid.beyond(value), rest))
    bounded = Branch(solid_keys, (*bounds, *conditions[1:]))
    return [bounded, nulls] if first.nullable and not first.nulls_first else [bounded]
