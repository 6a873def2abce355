"""Who needs what goes: the documents that name a removed, renamed or retyped thing, by the dependency graph.

What a document names is known from its parsed form (paths of expressions, fields of uniques and searches, grants of
roles), so a comment that mentions a field is no use of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from access.grant import ParentRows
from access.role import Role
from expressions import Expression
from metadata.catalog import Catalog, Entity
from metadata.kinds import KINDS
from metadata.publishing.diff import Change, ChangeKind

_GOING = frozenset({ChangeKind.REMOVED, ChangeKind.RENAMED, ChangeKind.RETYPED})


@dataclass(frozen=True, slots=True)
class Dependent:
    """A document that names something which goes: `thing` by its name so far, `path` where the document names it."""

    thing: tuple[str, ...]
    document: tuple[str, str]
    path: tuple[str, ...]


def going_things(before: Catalog, changes: Iterable[Change]) -> tuple[tuple[str, ...], ...]:
    """The names so far of entities, fields and choices that are removed, renamed or retyped."""
    renamed = {
        change.path[0]: change.was
        for change in changes
        if change.subject == "entity" and change.kind is ChangeKind.RENAMED and change.was is not None
    }
    found: dict[tuple[str, ...], None] = {}
    for change in changes:
        if change.kind not in _GOING or change.subject not in ("entity", "field", "choice"):
            continue
        entity = renamed.get(change.path[0], change.path[0])
        last = change.was if change.was is not None else change.path[-1]
        thing = (last,) if len(change.path) == 1 else (entity, *change.path[1:-1], last)
        if thing[0] in before.entities:
            found[thing] = None
    return tuple(found)


def dependents(before: Catalog, things: Iterable[tuple[str, ...]]) -> tuple[Dependent, ...]:
    """Every document of a catalog that names one of these entities, fields or choices, outside its own place."""
    wanted = set(things)
    found: dict[Dependent, None] = {}
    for key, document in before.documents.items():
        for kind, name in KINDS[key[0]].references(document) if key[0] in KINDS else ():
            if kind == "entity" and (name,) in wanted and key != ("entity", name):
                found[Dependent((name,), key, ())] = None
    for entity in before.entities.values():
        for thing, path in _named_by_entity(before, entity):
            if thing in wanted:
                found[Dependent(thing, ("entity", entity.name), path)] = None
    for name, role in before.parsed.get("role", {}).items():
        if isinstance(role, Role) and not role.system:
            for thing, path in _named_by_role(before, role):
                if thing in wanted:
                    found[Dependent(thing, ("role", name), path)] = None
    return tuple(found)


def _named_by_entity(catalog: Catalog, entity: Entity) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """(thing, where) for each thing that an entity's document names beside the property that makes it."""
    own = entity.name
    if not entity.system:
        yield (own, entity.display), ("x-display",)
    for index, name in enumerate(entity.search):
        yield (own, name), ("x-search", str(index))
    for index, unique in enumerate(entity.uniques):
        for name in unique.fields:
            yield (own, name), ("x-unique", str(index))
    for index, listed in enumerate(entity.indexes):
        for name in listed.fields:
            yield (own, name), ("x-index", str(index))
    for index, rule in enumerate(entity.rules):
        for part, expression in (("when", rule.when), ("check", rule.check)):
            if expression is not None:
                for thing in named_by(catalog, entity, expression):
                    yield thing, ("x-rules", str(index), part)
        if rule.path is not None and (rule.path in entity.fields or rule.path in entity.by_api_name):
            item = entity.fields.get(rule.path) or entity.by_api_name[rule.path]
            yield (own, item.name), ("x-rules", str(index), "path")
    for way in entity.relations.values():
        if way.field is None and way.inverse is not None:
            # the other side's reference makes a list here: whoever follows the list needs the reference
            yield (way.target, way.inverse), ("relations", way.name)


def _named_by_role(catalog: Catalog, role: Role) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    for name, grants in role.entities.items():
        entity = catalog.entities.get(name)
        if entity is None:
            continue
        for grant in grants:
            path = ("entities", name, grant.operation.value)
            for field in grant.fields.named:
                yield (name, field), (*path, "fields", field)
            for rule in grant.rows:
                if isinstance(rule, ParentRows):
                    yield (name, rule.field), (*path, "rows")
            for expression in grant.expressions:
                for thing in named_by(catalog, entity, expression):
                    yield thing, path


def named_by(catalog: Catalog, entity: Entity, expression: Expression) -> Iterator[tuple[str, ...]]:
    """The fields, as (entity, field), that an expression over an entity's record reads; `actor` is no field."""
    for path in expression.reads:
        current = entity
        for step in path:
            item = current.by_api_name.get(step) or current.fields.get(step)
            relation = current.relations.get(step)
            if item is None and relation is None:
                break
            if item is not None:
                yield current.name, item.name
            if relation is not None:
                current = catalog.entities[relation.target]
