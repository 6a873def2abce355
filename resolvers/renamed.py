"""Old names of renamed fields: they stay readable, as deprecated aliases, until the document drops them from x-was."""

from __future__ import annotations

from collections.abc import Iterator

from metadata.catalog import Entity
from metadata.field import Field


def old_names(item: Field) -> Iterator[tuple[str, str]]:
    """(old, current) API names of a field: of its scalar and, for a relation, of the object or connection."""
    suffix = item.api_name.removeprefix(item.name)  # "Id" for a reference
    for old in item.was:
        if item.columns:
            yield old + suffix, item.api_name
        if item.relation is not None:
            yield old, item.relation.name


def current_name(entity: Entity, name: str) -> str:
    """The current API name behind a name of the entity's type; current names stand for themselves."""
    if name in entity.by_api_name or name in entity.relations:
        return name
    for item in entity.fields.values():
        for old, current in old_names(item):
            if old == name:
                return current
    return name
