"""The surface: which entities, fields, relations and operations exist for an actor at all.

It is taken from the catalog and the actor's grants alone (`surface_of`), so actors with the same roles share it. A
field belongs to the surface if any grant covers it, always or under a condition; which of its cells may be seen is the
gate's matter. Whatever is not in the surface is absent: a schema, a filter or a plan made from it cannot tell a
forbidden name from an unknown one. `Surface.hash` keys compiled schemas together with the catalog's hash.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from access.grant import Grant, GrantSet, Operation, Rows
from access.system import SYSTEM_DOCUMENTS
from base.json import fingerprint
from metadata.catalog import Catalog, Entity
from metadata.field import Field, Relation, RelationKind

HIDDEN_FIELDS = frozenset({"deletionId"})
"""System fields that no API ever shows."""

ALWAYS_READABLE = frozenset({"id", "version", "createdAt", "updatedAt", "deletedAt"})
"""Fields that come with a readable row, whatever the grants say of fields."""

FIXED_FIELDS = {
    str(document["name"]): frozenset(document["properties"])
    for document in SYSTEM_DOCUMENTS
    if document["kind"] == "entity"
}
"""Fields of system entities that change by the platform's own verbs, never by generated mutations."""

TRANSFER_FIELDS = frozenset({"owner", "team"})
"""The only system fields that are ever written: on create by the field's right, later with the right to transfer."""


@dataclass(frozen=True, slots=True)
class EntitySurface:
    """What an actor may name of one entity. Fields by `Field.name`, relations by `Relation.name`.

    `relations` are the ways that may be followed when reading; `createable` and `updatable` are fields whose scalar
    or relation input exists; `operations` holds READ always, since an entity that cannot be read is not there.
    """

    entity: str
    readable: frozenset[str]
    relations: frozenset[str]
    createable: frozenset[str]
    updatable: frozenset[str]
    operations: frozenset[Operation]


@dataclass(frozen=True, slots=True)
class Surface:
    """What an actor may name. Entities that he cannot read are absent."""

    hash: str
    entities: Mapping[str, EntitySurface]


def surface_of(catalog: Catalog, grants: GrantSet) -> Surface:
    """The surface of a grant set in a catalog; cache it by both hashes, it visits every field of every entity."""
    granted = {name: _by_operation(grants.entities.get(name, ())) for name in catalog.entities}
    readable = {
        name: _covered(entity, granted[name][Operation.READ]) | _always(entity)
        for name, entity in catalog.entities.items()
        if Operation.READ in granted[name]
    }
    written = {name: _written(catalog.entities[name], granted[name], readable) for name in readable}
    entities = {name: _entity_surface(catalog, catalog.entities[name], granted, readable, written) for name in readable}
    return Surface(fingerprint({name: _parts(entity) for name, entity in entities.items()}), entities)


_Granted: TypeAlias = Mapping[Operation, list[Grant]]
_Written: TypeAlias = tuple[frozenset[str], frozenset[str]]


def _by_operation(grants: Iterable[Grant]) -> dict[Operation, list[Grant]]:
    found: dict[Operation, list[Grant]] = {}
    for grant in grants:
        # rows limit the old image: a create has none, so only its fields and check count
        if grant.operation is Operation.CREATE or any(rule is not Rows.NONE for rule in grant.rows):
            found.setdefault(grant.operation, []).append(grant)
    return found


def _always(entity: Entity) -> frozenset[str]:
    return frozenset(name for name in entity.fields if name in ALWAYS_READABLE)


def _covered(entity: Entity, grants: Iterable[Grant]) -> frozenset[str]:
    """Fields that can be shown and that a grant covers always or under a condition."""
    rights = [grant.fields for grant in grants]
    return frozenset(
        name
        for name, field in entity.fields.items()
        if not field.write_only
        and name not in HIDDEN_FIELDS
        and any(right.right(name) is not False for right in rights)
    )


def _entity_surface(
    catalog: Catalog,
    entity: Entity,
    granted: Mapping[str, _Granted],
    readable: Mapping[str, frozenset[str]],
    written: Mapping[str, _Written],
) -> EntitySurface:
    own = granted[entity.name]
    relations = frozenset(
        name for name, relation in entity.relations.items() if _may_follow(entity, relation, readable, catalog)
    )
    children = frozenset(
        item.name
        for item in entity.fields.values()
        if _owns(item) and item.relation is not None and _can_change(item.relation.target, granted, written)
    )
    creates, updates = written[entity.name]
    if not entity.system:
        creates |= _granted_fields(entity, own.get(Operation.CREATE, ()), children)
    updates |= _granted_fields(entity, own.get(Operation.UPDATE, ()), children)
    operations = {Operation.READ} if entity.system else set(own) - {Operation.CREATE, Operation.UPDATE}
    operations |= {Operation.CREATE} if creates else set()
    operations |= {Operation.UPDATE} if updates else set()
    return EntitySurface(entity.name, readable[entity.name], relations, creates, updates, frozenset(operations))


def _owns(field: Field) -> bool:
    return field.relation is not None and field.relation.kind is RelationKind.CHILDREN and not field.read_only


def _can_change(target: str, granted: Mapping[str, _Granted], written: Mapping[str, _Written]) -> bool:
    return target in written and (any(written[target]) or Operation.DELETE in granted[target])


def _may_follow(entity: Entity, relation: Relation, readable: Mapping[str, frozenset[str]], catalog: Catalog) -> bool:
    """A relation shows what its declaring field says, so it asks for the right on that field, on either side."""
    if relation.target not in readable:
        return False
    if relation.field is not None and relation.field not in readable[entity.name]:
        return False
    if relation.kind in (RelationKind.INVERSE, RelationKind.CHILDREN):
        return relation.inverse is None or relation.inverse in readable[relation.target]
    if relation.kind is RelationKind.MANY and relation.field is None:
        declared = _other_side(catalog.entities[relation.target], relation)
        return declared is None or declared in readable[relation.target]
    return True


def _other_side(target: Entity, relation: Relation) -> str | None:
    for other in target.relations.values():
        if other.link == relation.link and other.field is not None:
            return other.field
    return None


def _written(entity: Entity, own: _Granted, readable: Mapping[str, frozenset[str]]) -> _Written:
    """Fields written on create and on update, lists of children aside."""
    free, transferred = set(), set()
    for name, field in entity.fields.items():
        # writing a reference shows whether its target exists: it needs read on the target
        if _owns(field) or (field.relation is not None and field.relation.target not in readable):
            continue
        if field.system:
            if name in TRANSFER_FIELDS and not entity.system:
                transferred.add(name)
        elif not (field.read_only or field.type.generated) and not (
            entity.system and name in FIXED_FIELDS.get(entity.name, ())
        ):
            free.add(name)
    created: Collection[str] = () if entity.system else free | transferred
    updated = free | transferred if Operation.TRANSFER in own else free
    return (
        _granted_fields(entity, own.get(Operation.CREATE, ()), created),
        _granted_fields(entity, own.get(Operation.UPDATE, ()), updated),
    )


def _granted_fields(entity: Entity, grants: Iterable[Grant], names: Collection[str]) -> frozenset[str]:
    rights = [grant.fields for grant in grants]
    return frozenset(
        name for name in entity.fields if name in names and any(right.right(name) is not False for right in rights)
    )


def _parts(surface: EntitySurface) -> dict[str, list[str]]:
    return {
        "readable": sorted(surface.readable),
        "relations": sorted(surface.relations),
        "createable": sorted(surface.createable),
        "updatable": sorted(surface.updatable),
        "operations": sorted(operation.value for operation in surface.operations),
    }
