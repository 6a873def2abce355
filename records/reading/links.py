"""Links: which rows of a target belong to a row through a to-many relation, as far as the actor may know it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from metadata.catalog import Entity
from metadata.field import Field, Relation, RelationKind
from records.alias import Alias
from records.gate import Gate
from storage.batch import NAMESPACE
from storage.sql import InQuery, column
from storage.types import UUID


def linked(gate: Gate, here: Alias, relation: Relation, there: Alias) -> list[ColumnElement[bool]]:
    """The conditions under which a row `there` belongs to the row `here`.

    The field that declares the relation is gated on whichever side it stands: who may not read `contact.account`
    does not learn from `account.contacts` which contacts are meant.
    """
    conditions = declared(gate, here, relation, there)
    return [*conditions, belongs(gate, relation, there, here.field("id"))]


def declared(gate: Gate, here: Alias, relation: Relation, there: Alias) -> list[ColumnElement[bool]]:
    """The rights that following the relation asks for on either side, beside that on the target's reference."""
    conditions: list[ColumnElement[bool]] = []
    if relation.field is not None:
        conditions.append(gate.cell(here, here.entity.fields[relation.field]))
    if relation.kind is RelationKind.MANY and relation.field is None:
        field = declaring_field(there.entity, relation)
        if field is not None:
            conditions.append(gate.cell(there, field))
    return conditions


def belongs(gate: Gate, relation: Relation, there: Alias, owner: ColumnElement[Any]) -> ColumnElement[bool]:
    """The rows `there` that belong to the row with the id `owner`."""
    if relation.kind is RelationKind.MANY:
        link = Link(relation, there)
        return InQuery(there.field("id"), link.query.where(link.here == owner))
    return gate.value(there, reference_field(there.entity, relation)) == owner


class Link:
    """One occurrence of a relation's link table."""

    def __init__(self, relation: Relation, there: Alias) -> None:
        name = there.names.next("l")
        self.table: sa.FromClause = sa.table(str(relation.link), schema=NAMESPACE).alias(name)
        self.here = column(name, str(relation.here), UUID.sqlalchemy())
        self.there = column(name, str(relation.there), UUID.sqlalchemy())

    @property
    def query(self) -> sa.Select[Any]:
        """The ids on the other side."""
        return sa.select(self.there).select_from(self.table)


def reference_field(target: Entity, relation: Relation) -> Field:
    """The target's reference that an INVERSE or CHILDREN relation goes back along."""
    if relation.inverse is not None and relation.inverse in target.fields:
        return target.fields[relation.inverse]
    for field in target.fields.values():
        if field.columns and field.column.name == relation.column:
            return field
    raise LookupError(f"{target.name} has no reference behind {relation.name}")


def declaring_field(target: Entity, relation: Relation) -> Field | None:
    """For a link declared by the other entity: the field there that declares it."""
    for back in target.relations.values():
        if back.link is not None and back.link == relation.link and back.field is not None:
            return target.fields[back.field]
    return None
