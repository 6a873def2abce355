"""Root operations: which fields `Query` and `Mutation` have for an actor, and what each does to which entity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from enum import Enum

from access.grant import Operation
from metadata.catalog import Catalog, Entity
from metadata.names import pascal
from records.surface import EntitySurface, Surface


class RootKind(Enum):
    """What a root field does."""

    RECORD = "record"
    LISTING = "listing"
    NODE = "node"
    NODES = "nodes"
    META = "meta"
    VIEWER = "viewer"
    TYPENAME = "typename"
    CREATE = "create"
    CREATE_MANY = "create many"
    UPDATE = "update"
    UPDATE_MANY = "update many"
    UPSERT = "upsert"
    DELETE = "delete"
    DELETE_MANY = "delete many"
    RESTORE = "restore"
    PURGE = "purge"
    MERGE = "merge"
    SHARE = "share"
    UNSHARE = "unshare"


@dataclass(frozen=True, slots=True)
class RootOperation:
    """One root field. `entity` is the entity's name, or None for what belongs to no single one.

    `current` is set for an alias: what the same field is called since the entity was renamed.
    """

    name: str
    kind: RootKind
    entity: str | None = None
    current: str | None = None


@dataclass(frozen=True, slots=True)
class Roots:
    """The root fields of both operation types, by name and in order. Fixed ones stand first."""

    query: Mapping[str, RootOperation]
    mutation: Mapping[str, RootOperation]


MANY = frozenset({RootKind.CREATE_MANY, RootKind.UPDATE_MANY, RootKind.DELETE_MANY})
"""Mutations whose payload is the plural one."""

DELETES = frozenset({RootKind.DELETE, RootKind.DELETE_MANY})
"""Mutations whose payload shows records that are deleted by then."""

_FIXED = (
    RootOperation("node", RootKind.NODE),
    RootOperation("nodes", RootKind.NODES),
    RootOperation("meta", RootKind.META),
    RootOperation("viewer", RootKind.VIEWER),
    RootOperation("__typename", RootKind.TYPENAME),
)


def roots(catalog: Catalog, surface: Surface) -> Roots:
    """The root operations that exist for a surface. An entity outside of it has none."""
    query = {operation.name: operation for operation in _FIXED}
    mutation: dict[str, RootOperation] = {}
    for name, seen in surface.entities.items():
        entity = catalog.entities[name]
        query[entity.name] = RootOperation(entity.name, RootKind.RECORD, name)
        query[entity.plural] = RootOperation(entity.plural, RootKind.LISTING, name)
        for operation in _mutations(entity, seen, entity.type_name, entity.plural_type_name):
            mutation[operation.name] = operation
    taken = {word for entity in catalog.entities.values() for word in (entity.name, entity.plural)}
    for name, seen in surface.entities.items():
        _add_aliases(catalog.entities[name], seen, taken, query, mutation)
    return Roots(query, mutation)


def _add_aliases(
    entity: Entity,
    surface: EntitySurface,
    taken: Set[str],
    query: dict[str, RootOperation],
    mutation: dict[str, RootOperation],
) -> None:
    """The fields of a renamed entity under its former names and plurals, where nobody has them now, not even hidden."""
    names = [old for old in entity.was if old not in taken]
    plurals = [old for old in entity.former_plurals if old not in taken]
    current = list(_mutations(entity, surface, entity.type_name, entity.plural_type_name))
    for old in names:
        query.setdefault(old, RootOperation(old, RootKind.RECORD, entity.name, entity.name))
    for old in plurals:
        query.setdefault(old, RootOperation(old, RootKind.LISTING, entity.name, entity.plural))
    ones = [(pascal(old), entity.plural_type_name) for old in names]
    lists = [(entity.type_name, pascal(old)) for old in plurals]
    for one, many in (*ones, *lists):
        for operation, now in zip(_mutations(entity, surface, one, many), current, strict=True):
            mutation.setdefault(operation.name, replace(operation, current=now.name))


def conflict_keys(entity: Entity, surface: EntitySurface) -> tuple[str, ...]:
    """API names of the fields that an upsert may match by: those of unique rules the actor may read and write."""
    found: dict[str, None] = {}
    for unique in entity.uniques:
        if surface.createable.issuperset(unique.fields) and surface.readable.issuperset(unique.fields):
            found.update((entity.fields[name].api_name, None) for name in unique.fields)
    return tuple(found)


def _mutations(entity: Entity, surface: EntitySurface, one: str, many: str) -> Iterator[RootOperation]:
    name = entity.name
    allowed = surface.operations
    if surface.createable:
        yield RootOperation(f"create{one}", RootKind.CREATE, name)
        yield RootOperation(f"create{many}", RootKind.CREATE_MANY, name)
    if surface.updatable:
        yield RootOperation(f"update{one}", RootKind.UPDATE, name)
        yield RootOperation(f"update{many}", RootKind.UPDATE_MANY, name)
    if surface.createable and surface.updatable and conflict_keys(entity, surface):
        yield RootOperation(f"upsert{one}", RootKind.UPSERT, name)
    if Operation.DELETE in allowed:
        yield RootOperation(f"delete{one}", RootKind.DELETE, name)
        yield RootOperation(f"delete{many}", RootKind.DELETE_MANY, name)
    if Operation.RESTORE in allowed:
        yield RootOperation(f"restore{one}", RootKind.RESTORE, name)
    if Operation.PURGE in allowed:
        yield RootOperation(f"purge{one}", RootKind.PURGE, name)
    if Operation.DELETE in allowed and surface.updatable:
        yield RootOperation(f"merge{many}", RootKind.MERGE, name)
    if Operation.SHARE in allowed:
        yield RootOperation(f"share{one}", RootKind.SHARE, name)
        yield RootOperation(f"unshare{one}", RootKind.UNSHARE, name)
