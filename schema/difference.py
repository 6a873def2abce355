"""Two GraphQL schemas of one company compared: what clients would notice, by schema coordinate and severity.

graphql-core finds and ranks the changes. It is given only the types that can differ: those of changed entities and of
entities that refer to them, and of the two roots the fields of these.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType
from graphql.utilities import (
    BreakingChangeType,
    DangerousChangeType,
    find_schema_changes,
)
from graphql.utilities import SchemaChange as CoreChange

from access.resolve import resolve, roles_of
from access.system import OWNER
from base.errors import Text
from metadata.catalog import Catalog, Entity
from metadata.names import PLURAL_TYPE_SUFFIXES, RELATION_INPUT, TYPE_SUFFIXES, generated_names, pascal
from metadata.publishing.diff import match_entities
from records.surface import surface_of
from resolvers.preview import SchemaChange, Severity
from resolvers.roots import roots
from schema.adapter import Merged, merge
from schema.flat import FlatSchema, RecordObject
from schema.shared import NODE
from schema.types import ends

_COORDINATE: Final = re.compile(
    r"(?:Description of (?:field |argument |enum value |input-field )?|Field |Argument |Enum value |Standard scalar "
    r"|Input field |An? (?:required|optional) (?:argument|(?:input )?field) )?"
    r"(@?\w+(?:\.\w+)?(?:\(\w+:?\))?)"
)
_RETYPED: Final = re.compile(r"changed type from (\S+) to (\S+?)\.?$")

_ZH: Final[Mapping[str, str]] = {
    "TYPE_REMOVED": "类型 {0} 将被移除",
    "TYPE_CHANGED_KIND": "类型 {0} 的种类改变",
    "VALUE_REMOVED_FROM_ENUM": "枚举值 {0} 将被移除",
    "REQUIRED_INPUT_FIELD_ADDED": "新增必填输入字段 {0}",
    "FIELD_REMOVED": "字段 {0} 将被移除",
    "FIELD_CHANGED_KIND": "字段 {0} 的类型改变",
    "REQUIRED_ARG_ADDED": "新增必填参数 {0}",
    "ARG_REMOVED": "参数 {0} 将被移除",
    "ARG_CHANGED_KIND": "参数 {0} 的类型改变",
    "VALUE_ADDED_TO_ENUM": "新增枚举值 {0}",
    "OPTIONAL_INPUT_FIELD_ADDED": "新增可选输入字段 {0}",
    "OPTIONAL_ARG_ADDED": "新增可选参数 {0}",
    "ARG_DEFAULT_VALUE_CHANGE": "参数 {0} 的默认值改变",
    "INPUT_FIELD_DEFAULT_VALUE_CHANGE": "输入字段 {0} 的默认值改变",
    "TYPE_ADDED": "新增类型 {0}",
    "FIELD_ADDED": "新增字段 {0}",
    "FIELD_CHANGED_KIND_SAFE": "字段 {0} 的类型改变，不影响现有查询",
    "ARG_CHANGED_KIND_SAFE": "参数 {0} 的类型改变，不影响现有查询",
    "DESCRIPTION_CHANGED": "{0} 的说明改变",
}


def compare_catalogs(before: Catalog, after: Catalog) -> tuple[SchemaChange, ...]:
    """What the company's owner, who sees everything, would find changed in the schema; breaking changes first."""
    old, new = owners_schema(before), owners_schema(after)
    old_part, new_part = limited(old, new, before, after)
    renamed = renamed_types(before.entities, after.entities)
    found = [_told(change, old_part, renamed) for change in find_schema_changes(old_part, new_part)]
    found += _deprecated(old_part.type_map, new_part.type_map)
    order = list(Severity)
    return tuple(sorted(found, key=lambda item: (order.index(item.severity), item.coordinate)))


def limited(old: Merged, new: Merged, before: Catalog, after: Catalog) -> tuple[FlatSchema, FlatSchema]:
    """Both schemas cut to the types, and the root fields, that can differ."""
    touched = touched_entities(before, after) | _ends_that_moved(old, new)
    names = {name for catalog in (before, after) for name in _type_names(catalog, touched)}
    fields = {name for made in (old, new) for name in _root_names(made, touched)}
    return _cut(old, names, fields), _cut(new, names, fields)


def touched_entities(before: Catalog, after: Catalog) -> set[str]:
    """Entities, by name in either catalog, whose types can differ: changed ones and those that show their names."""
    if before.app.locale != after.app.locale:
        return {*before.entities, *after.entities}
    changed = {name for name, entity in before.entities.items() if after.entities.get(name) != entity}
    changed |= after.entities.keys() - before.entities.keys()
    shown = {name for name in changed if _face(before.entities.get(name)) != _face(after.entities.get(name))}
    neighbours = {
        name
        for catalog in (before, after)
        for name, entity in catalog.entities.items()
        if any(way.target in shown for way in entity.relations.values())
    }
    return changed | neighbours


def renamed_types(before: Mapping[str, Entity], after: Mapping[str, Entity]) -> dict[str, str]:
    """Type names so far -> what the same types are called now, for renamed entities and choice fields."""
    found: dict[str, str] = {}
    for name, old in match_entities(before, after).items():
        new = after[name]
        pairs = [*zip(_own_types(old), _own_types(new), strict=True)]
        for item in new.fields.values():
            was = next((was for was in (item.name, *item.was) if was in old.fields), None)
            if was is not None:
                pairs += zip(_field_types(old, was), _field_types(new, item.name), strict=True)
        found.update((one, other) for one, other in pairs if one != other)
    return found


def owners_schema(catalog: Catalog) -> Merged:
    """The schema of an actor who may do everything."""
    surface = surface_of(catalog, resolve(roles_of(catalog), [OWNER]))
    return merge(catalog, surface, roots(catalog, surface), lambda _: None)


def _face(entity: Entity | None) -> tuple[object, ...]:
    """What other entities' types show of an entity."""
    return () if entity is None else (entity.type_name, entity.plural_type_name, entity.title, dict(entity.titles))


def _ends_that_moved(old: Merged, new: Merged) -> set[str]:
    """Entities that a list or an owner leads to in one schema only: they gain or lose input types by it."""
    found: set[str] = set()
    for one, other in zip(ends(old.pool), ends(new.pool), strict=True):
        found |= one ^ other
    return found


def _type_names(catalog: Catalog, names: Collection[str]) -> Iterator[str]:
    for name in names:
        if name in catalog.entities:
            yield from (made.name for made in generated_names(catalog.entities[name]) if made.space == "type")


def _root_names(merged: Merged, names: Collection[str]) -> Iterator[str]:
    for operation in (*merged.roots.query.values(), *merged.roots.mutation.values()):
        if operation.entity in names:
            yield operation.name


def _cut(merged: Merged, names: Collection[str], fields: Collection[str]) -> FlatSchema:
    core, pool = merged.core, merged.pool
    types: dict[str, Any] = {name: pool.get(name) for name in sorted(names) if pool.has(name)}
    cut = tuple(_cut_root(root, fields) for root in (core.query_type, core.mutation_type) if root is not None)
    types.update((root.name, root) for root in cut)
    both: Any = (cut[0], cut[1] if len(cut) == 2 else None, None)
    return FlatSchema(both, types, NODE, (), ())


def _cut_root(root: GraphQLObjectType, fields: Collection[str]) -> RecordObject:
    kept = {name: root.fields[name] for name in sorted(fields) if name in root.fields}
    return RecordObject(root.name, lambda: kept)


def _own_types(entity: Entity) -> tuple[str, ...]:
    names = [entity.type_name + suffix for suffix in TYPE_SUFFIXES]
    return (*names, *(entity.plural_type_name + suffix for suffix in PLURAL_TYPE_SUFFIXES))


def _field_types(entity: Entity, field: str) -> tuple[str, ...]:
    name = entity.type_name + pascal(field)
    return name, f"{name}Filter", name + RELATION_INPUT


def _told(change: CoreChange, old: FlatSchema, renamed: Mapping[str, str]) -> SchemaChange:
    """A change as graphql-core found it; where only the name of a type changes, what that means for clients."""
    coordinate = coordinate_of(change)
    kind = change.type.name
    en, zh = change.description, _ZH.get(kind, "{0} 改变").format(coordinate)
    severity = severity_of(change)
    if kind == "TYPE_REMOVED" and coordinate in renamed:
        now = renamed[coordinate]
        en = f"{coordinate} is called {now} now: fragments on it and variables of it no longer hold."
        zh = f"{coordinate} 更名为 {now}：使用该类型名的片段和变量将失效"
    elif kind == "FIELD_CHANGED_KIND" and _is_output(old, coordinate):
        found = _RETYPED.search(change.description)
        if found is not None and _renamed_in(found[1], renamed) == found[2]:
            severity = Severity.SAFE
            en = f"Field {coordinate} gives the same under the type's new name {found[2]}."
            zh = f"字段 {coordinate} 内容不变，类型名改为 {found[2]}"
    return SchemaChange(severity, coordinate, Text(en, zh))


def coordinate_of(change: CoreChange) -> str:
    """The schema coordinate that a change is about, read off its description."""
    found = _COORDINATE.match(change.description)
    return found[1] if found is not None else change.description


def severity_of(change: CoreChange) -> Severity:
    """Severity as graphql-core ranks a change, but that a new optional input field is safe: absent is unchanged."""
    if change.type is DangerousChangeType.OPTIONAL_INPUT_FIELD_ADDED:
        return Severity.SAFE
    if isinstance(change.type, BreakingChangeType):
        return Severity.BREAKING
    return Severity.DANGEROUS if isinstance(change.type, DangerousChangeType) else Severity.SAFE


def _is_output(schema: FlatSchema, coordinate: str) -> bool:
    return isinstance(schema.type_map.get(coordinate.partition(".")[0]), GraphQLObjectType)


def _renamed_in(shown: str, renamed: Mapping[str, str]) -> str:
    """A type as written (`[Deal!]!`) with its name replaced by the new one."""
    return re.sub(r"\w+", lambda word: renamed.get(word[0], word[0]), shown)


def _deprecated(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[SchemaChange]:
    """What becomes deprecated, or is so no longer: clients keep working, and are told by their tools."""
    for name, new in after.items():
        old = before.get(name)
        if old is None or type(old) is not type(new):
            continue
        parts = _parts(old)
        for part, item in _parts(new).items():
            was = parts[part].deprecation_reason if part in parts else None
            if part in parts and item.deprecation_reason != was:
                yield _deprecation(f"{name}.{part}", item.deprecation_reason)


def _parts(type_: Any) -> Mapping[str, Any]:
    if isinstance(type_, GraphQLObjectType | GraphQLInputObjectType):
        return dict(type_.fields)
    return dict(type_.values) if isinstance(type_, GraphQLEnumType) else {}


def _deprecation(coordinate: str, reason: str | None) -> SchemaChange:
    if reason is None:
        text = Text(f"{coordinate} is no longer deprecated.", f"{coordinate} 不再标记为弃用")
    else:
        text = Text(f"{coordinate} is deprecated. {reason}", f"{coordinate} 标记为弃用：{reason}")
    return SchemaChange(Severity.SAFE, coordinate, text)
