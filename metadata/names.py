"""Names: what may be one, which are reserved, and every GraphQL name that a catalog generates, with its owner.

docs/names.md is the table of it. Publishing refuses two owners of one name, naming both; names that differ only in
case or in look-alike letters are refused as well, because people and case-insensitive tools confuse them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from base.errors import Fault, Text
from metadata.catalog import Entity
from metadata.faults import clash, invalid, reserved
from metadata.field import Field, GraphQLKind

NAME = re.compile(r"[a-z][A-Za-z0-9]{0,62}")
"""An API name: ASCII, camelCase, at most 63 bytes (longer ones would not fit a database's names)."""

ROOT_FIELDS = frozenset(["node", "nodes", "viewer", "meta", "forms", "workflows", "insights", "files", "changes"])
"""Fixed root fields, reserved from the start."""

FIXED_TYPES = frozenset(
    [
        "Query",
        "Mutation",
        "Subscription",
        "Node",
        "PageInfo",
        "String",
        "Int",
        "Float",
        "Boolean",
        "ID",
        "Long",
        "Decimal",
        "Date",
        "DateTime",
        "Time",
        "UUID",
        "JSON",
        "Cursor",
    ]
)
"""Fixed type names without the `Pliant` prefix."""

_RESERVED_BASE = [
    "and",
    "or",
    "not",
    "some",
    "none",
    "every",
    "id",
    "version",
    "createdAt",
    "createdBy",
    "updatedAt",
    "updatedBy",
    "deletedAt",
    "deletedBy",
    "deletionId",
    "owner",
    "team",
    "viewer",
    "history",
    "approvals",
    "comments",
    "files",
    "shares",
    "meta",
]
_LITERALS = ["true", "false", "null"]  # fields become enum values in `upsert(by:)`, and GraphQL allows none of these
RESERVED_FIELDS = frozenset([*_RESERVED_BASE, *_LITERALS]) | frozenset(f"{name}Id" for name in _RESERVED_BASE)
"""Names that no authored field may have; compared without case."""

_RESERVED_LOWER = frozenset(name.lower() for name in RESERVED_FIELDS)

TYPE_SUFFIXES = (
    "", "Filter", "ListFilter", "OrderBy", "Connection", "Edge", "Aggregate", "SumAggregate", "AvgAggregate",
    "MinAggregate", "MaxAggregate", "DistinctCountAggregate", "GroupBy", "Group", "Key", "Having", "GroupOrderBy",
    "CreateInput", "UpdateInput", "ChildInput", "Payload", "Change", "ShareWith", "ConflictKey",
)  # fmt: skip
"""Types made for an entity: its type name and each of these."""

PLURAL_TYPE_SUFFIXES = ("Payload",)
"""Types made from the plural."""

RELATION_INPUT = "RelationInput"
"""Input of a relation field in nested writes: `<Entity><Field>RelationInput`."""


@dataclass(frozen=True, slots=True)
class GeneratedName:
    """A name that publishing makes: where it lives (`type`, `query`, `mutation`, `subscription`), and whose it is."""

    space: str
    name: str
    owner: str
    path: tuple[str, ...]


def pascal(name: str) -> str:
    """PascalCase of an API name."""
    return name[:1].upper() + name[1:]


def look_alike(name: str) -> str:
    """A key that is equal for names people cannot tell apart: capital I, l and 1; O, o and 0."""
    return name.replace("I", "l").replace("1", "l").replace("0", "o").lower()


def name_fault(name: str, path: tuple[str, ...]) -> Fault | None:
    """Whether a text can be an API name at all."""
    if NAME.fullmatch(name):
        return None
    shown = name[:80]
    why = _foreign(name) or _length(name)
    return invalid(
        path,
        f"{shown!r} is no API name: a lower-case letter a-z, then letters and digits, at most 63 in all; "
        f"what people read goes into title and x-titles{why.en}",
        f"“{shown}”不是合法的 API 名称：须以小写字母 a-z 开头，其后为字母或数字，总长不超过 63；"
        f"显示名称请写在 title 和 x-titles 中{why.zh}",
    )


def _foreign(name: str) -> Text | None:
    """The first letter that is none of a-z in a name of mostly such: a Cyrillic or Greek one looks the same."""
    other = [char for char in name if not char.isascii() and char.isalpha()]
    if not other or len(other) == len(name):
        return None
    what = f"U+{ord(other[0]):04X} {unicodedata.name(other[0], '')}".rstrip()
    return Text(f" ({other[0]!r} is {what}, no letter of a-z)", f"（“{other[0]}”是 {what}，不是字母 a-z）")


def _length(name: str) -> Text:
    count = len(name.encode(errors="replace"))
    return Text(f" (this one has {count} bytes)", f"（该名称为 {count} 字节）") if count > 63 else Text("", "")


def field_name_fault(name: str, path: tuple[str, ...]) -> Fault | None:
    """Whether a text can be the name of an authored field."""
    if (fault := name_fault(name, path)) is not None:
        return fault
    return reserved(path, name) if is_reserved_field(name) else None


def is_reserved_field(name: str) -> bool:
    """Whether the platform keeps a field name for itself, whatever its case."""
    return name.lower() in _RESERVED_LOWER


def entity_name_fault(name: str, plural: str, path: tuple[str, ...]) -> Fault | None:
    """Whether a text and its plural can name an entity."""
    for word, where in ((name, (*path, "name")), (plural, (*path, "x-plural"))):
        if (fault := name_fault(word, where)) is not None:
            return fault
        if word in ROOT_FIELDS or word.lower().startswith("pliant") or pascal(word) in FIXED_TYPES:
            return reserved(where, word)
    if name == plural:
        return invalid(
            (*path, "x-plural"),
            f"singular and plural of {name!r} are equal: give another plural, such as x-plural: {name + 'List'!r}",
            f"“{name}”的单复数相同：请指定 x-plural，例如“{name}List”",
        )
    return None


def generated_names(entity: Entity) -> Iterator[GeneratedName]:
    """Every name that one entity puts into the company's GraphQL schema."""
    owner, one, many = f"entity {entity.name}", entity.type_name, entity.plural_type_name
    path = ("entity", entity.name)
    for suffix in TYPE_SUFFIXES:
        yield GeneratedName("type", one + suffix, owner, path)
    for suffix in PLURAL_TYPE_SUFFIXES:
        yield GeneratedName("type", many + suffix, owner, path)
    for item in entity.fields.values():
        field_owner = f"field {entity.name}.{item.name}"
        for name in _field_types(entity, item):
            yield GeneratedName("type", name, field_owner, (*path, "properties", item.name))
    for name in (entity.name, entity.plural, f"{entity.plural}GroupBy"):
        yield GeneratedName("query", name, owner, path)
    for verb in ("create", "update", "delete"):
        yield GeneratedName("mutation", verb + one, owner, path)
        yield GeneratedName("mutation", verb + many, owner, path)
    for verb in ("upsert", "restore", "purge", "share", "unshare"):
        yield GeneratedName("mutation", verb + one, owner, path)
    yield GeneratedName("mutation", f"merge{many}", owner, path)
    yield GeneratedName("subscription", f"{entity.name}Changes", owner, path)


def _field_types(entity: Entity, item: Field) -> tuple[str, ...]:
    name = entity.type_name + pascal(item.name)
    if item.type.graphql in (GraphQLKind.ENUM, GraphQLKind.ENUM_LIST):
        return (name, f"{name}Filter")
    return (name + RELATION_INPUT,) if item.relation is not None and not item.system else ()


def generated_fields(entity: Entity) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every field name of an entity's GraphQL type, its owner and where that stands: scalars, objects, connections."""
    path = ("entity", entity.name)
    for item in entity.fields.values():
        owner = f"field {entity.name}.{item.name}"
        where = (*path, "properties", item.name)
        yield item.name, owner, where
        if item.api_name != item.name:
            yield item.api_name, owner, where
    for relation in entity.relations.values():
        if relation.field is None:
            yield relation.name, f"the inverse of {relation.target}.{relation.inverse}", path


def former_names(entity: Entity) -> Iterator[GeneratedName]:
    """The aliases of one entity: root fields under its former names, and former names of its fields."""
    path = ("entity", entity.name)
    owner = f"the former name of entity {entity.name}"
    for old in entity.was:
        yield GeneratedName("query", old, owner, (*path, "x-was"))
    for old in entity.former_plurals:
        where = "x-pluralWas" if old in entity.plural_was else "x-was"
        yield GeneratedName("query", old, owner, (*path, where))
    for item in entity.fields.values():
        for old in item.was:
            owner = f"the former name of field {entity.name}.{item.name}"
            yield GeneratedName(f"fields of {entity.name}", old, owner, (*path, "properties", item.name, "x-was"))


def _refuse_shared_aliases(entities: Mapping[str, Entity], faults: list[Fault]) -> None:
    """One former name of two things would lead to the wrong one; a name that is in use again is no alias any more."""
    used = {made.name for entity in entities.values() for made in generated_names(entity) if made.space == "query"}
    owners: dict[tuple[str, str], str] = {}
    for entity in entities.values():
        for made in former_names(entity):
            if (made.name in used) if made.space == "query" else (made.name in entity.fields):
                continue
            other = owners.setdefault((made.space, made.name), made.owner)
            if other != made.owner:
                faults.append(clash(made.path, made.name, other, made.owner))


def check_names(entities: Mapping[str, Entity], faults: list[Fault]) -> None:
    """Refuse every name that would have two owners in the company's GraphQL schema."""
    spaces: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {}
    for entity in entities.values():
        for made in generated_names(entity):
            spaces.setdefault(made.space, []).append((made.name, made.owner, made.path))
        _refuse_duplicates(generated_fields(entity), faults)
    for made_names in spaces.values():
        _refuse_duplicates(made_names, faults)
    _refuse_shared_aliases(entities, faults)


def _refuse_duplicates(names: Iterable[tuple[str, str, tuple[str, ...]]], faults: list[Fault]) -> None:
    owners: dict[str, tuple[str, str]] = {}
    told: set[tuple[str, str]] = set()
    for name, owner, path in names:
        for key in {name.lower(), look_alike(name)}:
            other_name, other = owners.setdefault(key, (name, owner))
            if other != owner and (other, owner) not in told:
                told.add((other, owner))
                shown = name if name == other_name else f"{other_name}/{name}"
                faults.append(clash(path, shown, other, owner))
