"""What points at an entity's rows: to-one fields of all entities, and the link tables that they are in."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.catalog import Catalog
from metadata.field import Field, Relation, RelationKind


@dataclass(frozen=True, slots=True)
class Referrer:
    """A to-one field of some entity that points at this one, and what a deletion does to it."""

    entity: str
    field: Field
    relation: Relation

    @property
    def api(self) -> str:
        """The scalar that holds the id."""
        return self.field.api_name


@dataclass(frozen=True, slots=True)
class LinkSide:
    """One side of a link table: the columns of this entity's rows and of the others, and who declares the field."""

    table: str
    here: str
    there: str
    entity: str
    field: Field
    own: bool  # rows of this entity declare it


def pointers_at(catalog: Catalog, name: str) -> tuple[Referrer, ...]:
    """Every to-one field that points at an entity, those of the platform (createdBy ...) aside."""
    return tuple(
        Referrer(entity.name, item, item.relation)
        for entity in catalog.entities.values()
        for item in entity.fields.values()
        if item.relation is not None
        and item.relation.kind is RelationKind.TO_ONE
        and item.relation.target == name
        and not item.system
    )


def sides_of(catalog: Catalog, name: str) -> tuple[LinkSide, ...]:
    """The link tables that rows of an entity are in, a table twice where both its sides are of this entity."""
    found: list[LinkSide] = []
    for entity in catalog.entities.values():
        for item in entity.fields.values():
            relation = item.relation
            if relation is None or relation.kind is not RelationKind.MANY or relation.link is None:
                continue
            here, there = str(relation.here), str(relation.there)
            if entity.name == name:
                found.append(LinkSide(relation.link, here, there, entity.name, item, True))
            if relation.target == name:
                found.append(LinkSide(relation.link, there, here, entity.name, item, False))
    return tuple(found)
