"""Former names: what was renamed stays usable under its old names, deprecated, until x-was no longer says them.

An entity names its former plurals apart (`x-pluralWas`). An alias never shadows: a name that something has now belongs
to that. Types have no aliases, GraphQL has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from metadata.field import Field, Relation
from metadata.plural import pluralize


def old_names(item: Field) -> Iterator[tuple[str, str]]:
    """(old, current) API names of a field: of its scalar and, for a relation, of the object or connection."""
    suffix = item.api_name.removeprefix(item.name)  # "Id" for a reference
    for old in item.was:
        if item.columns:
            yield old + suffix, item.api_name
        if item.relation is not None:
            yield old, item.relation.name


def field_aliases(fields: Mapping[str, Field], relations: Mapping[str, Relation]) -> Mapping[str, str]:
    """Old API name -> current one, for the fields and relations of one entity."""
    taken = {item.api_name for item in fields.values()} | fields.keys() | relations.keys()
    found: dict[str, str] = {}
    for item in fields.values():
        for old, current in old_names(item):
            if old not in taken:
                found.setdefault(old, current)
    return found


def former_plurals(was: Iterable[str], plural_was: Iterable[str]) -> tuple[str, ...]:
    """Former plurals of an entity: those that it names (`x-pluralWas`), and those of its former names in English."""
    return tuple(dict.fromkeys([*plural_was, *(pluralize(old) for old in was)]))
