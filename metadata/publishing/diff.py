"""What changes from one catalog to the next, per document, entity, field and choice, and what of it loses data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from metadata.catalog import Catalog, Entity
from metadata.field import Field
from metadata.physical import find_old


class ChangeKind(StrEnum):
    """What happened to a thing."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    ALTERED = "altered"
    RETYPED = "retyped"  # a field of another type or target: values that find no place in it are lost


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `subject` is entity, field, choice or another kind of document; `path` leads to it by its new name.

    `was` is the former name of what was renamed. `loss` is the name that allowLoss must hold, when data is lost.
    """

    kind: ChangeKind
    subject: str
    path: tuple[str, ...]
    was: str | None = None
    loss: str | None = None


def diff_catalogs(before: Catalog | None, after: Catalog) -> tuple[Change, ...]:
    """Every change that takes a company from one catalog to the next, in the order of the new one."""
    old = before.entities if before is not None else {}
    return (*_diff_entities(old, after.entities), *_diff_documents(before, after))


def match_entities(before: Mapping[str, Entity], after: Mapping[str, Entity]) -> Mapping[str, Entity]:
    """New entity name -> the old entity that it was; the same table makes them the same."""
    tables = {entity.table_name: entity for entity in before.values()}
    return {name: tables[entity.table_name] for name, entity in after.items() if entity.table_name in tables}


def match_fields(before: Entity, after: Entity) -> Mapping[str, Field]:
    """New field name -> the old field that it was, by its name or by x-was."""
    found: dict[str, Field] = {}
    for name, item in after.fields.items():
        old = find_old(name, item.was, before.fields, after.fields)
        if old is not None:
            found[name] = before.fields[old]
    return found


def _diff_entities(before: Mapping[str, Entity], after: Mapping[str, Entity]) -> Iterator[Change]:
    matched = match_entities(before, after)
    for name, entity in after.items():
        old = matched.get(name)
        if old is None:
            yield Change(ChangeKind.ADDED, "entity", (name,))
            continue
        if old.name != name:
            yield Change(ChangeKind.RENAMED, "entity", (name,), was=old.name)
        yield from _diff_fields(old, entity)
        if _rest(old) != _rest(entity):
            yield Change(ChangeKind.ALTERED, "entity", (name,))
    kept = {old.name for old in matched.values()}
    for name in before:
        if name not in kept:
            yield Change(ChangeKind.REMOVED, "entity", (name,), loss=name)


def _rest(entity: Entity) -> tuple[object, ...]:
    return (
        entity.plural, entity.plural_was, entity.title, dict(entity.titles), entity.description, entity.display,
        entity.search, entity.uniques, entity.indexes, entity.rules, entity.history, dict(entity.schema),
    )  # fmt: skip


def _diff_fields(before: Entity, after: Entity) -> Iterator[Change]:
    matched = match_fields(before, after)
    for name, item in after.fields.items():
        path = (after.name, name)
        old = matched.get(name)
        if old is None:
            yield Change(ChangeKind.ADDED, "field", path)
            continue
        if old.name != name:
            yield Change(ChangeKind.RENAMED, "field", path, was=old.name)
        if _retyped(old, item):
            yield Change(ChangeKind.RETYPED, "field", path, loss=".".join(path))
        elif _shape(old) != _shape(item):
            yield Change(ChangeKind.ALTERED, "field", path)
        yield from _diff_choices(path, old, item)
    kept = {old.name for old in matched.values()}
    for name in before.fields:
        if name not in kept:
            yield Change(ChangeKind.REMOVED, "field", (after.name, name), loss=f"{after.name}.{name}")


def _retyped(old: Field, new: Field) -> bool:
    """Whether values have to find a place in another type; one that keeps its column takes them as they are."""
    if [column.type for column in old.columns] != [column.type for column in new.columns]:
        return True
    if old.columns != new.columns:
        return old.type is not new.type or _target(old) != _target(new)
    return _link(old) != _link(new)


def _target(item: Field) -> str | None:
    return item.relation.target if item.relation is not None else None


def _link(item: Field) -> str | None:
    return item.relation.link if item.relation is not None else None


def _shape(item: Field) -> tuple[object, ...]:
    return (
        item.type.name, item.options, item.title, dict(item.titles), item.description, item.required, item.default,
        item.read_only, item.write_only, item.deprecated, dict(item.schema), item.choices,
    )  # fmt: skip


def _diff_choices(path: tuple[str, ...], before: Field, after: Field) -> Iterator[Change]:
    if not before.choices and not after.choices:
        return
    new = {choice.value: choice for choice in after.choices}
    renamed = renamed_choices(before, after)
    for choice in before.choices:
        if choice.value in renamed:
            yield Change(ChangeKind.RENAMED, "choice", (*path, renamed[choice.value]), was=choice.value)
        elif choice.value not in new:
            where = (*path, choice.value)
            yield Change(ChangeKind.REMOVED, "choice", where, loss=".".join(where) if after.choices else None)
    old = {choice.value for choice in before.choices}
    for value in new:
        if value not in old and value not in renamed.values():
            yield Change(ChangeKind.ADDED, "choice", (*path, value))


def renamed_choices(before: Field, after: Field) -> Mapping[str, str]:
    """Old value -> new value of choices that carry x-was."""
    values = {choice.value for choice in after.choices}
    old = {choice.value for choice in before.choices}
    return {was: choice.value for choice in after.choices for was in choice.was if was in old and was not in values}


def _diff_documents(before: Catalog | None, after: Catalog) -> Iterator[Change]:
    old = before.documents if before is not None else {}
    for (kind, name), document in after.documents.items():
        if kind != "entity" and old.get((kind, name)) != document:
            change = ChangeKind.ALTERED if (kind, name) in old else ChangeKind.ADDED
            yield Change(change, kind, (name,))
    for kind, name in old:
        if kind != "entity" and (kind, name) not in after.documents:
            yield Change(ChangeKind.REMOVED, kind, (name,))
