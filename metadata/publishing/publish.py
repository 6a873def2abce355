"""Publishing: new documents over the current ones become tables, a catalog version and events, in one transaction.

Everything is checked before anything is done: the documents, what would be lost, and the rows that stand against
the change. Rows are counted before the transaction and guarded again inside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from base.clock import now, timestamp
from base.errors import Conflict, DocumentsInvalid, Fault, Text
from base.ids import new_id
from base.json import Json
from base.limits import DEFAULTS, Limits
from metadata.build import Documents, next_catalog
from metadata.catalog import Catalog, Entity
from metadata.faults import LOSS, ROWS
from metadata.field import Field
from metadata.publishing.census import Census, null_rows
from metadata.publishing.ddl import migration_ddl
from metadata.publishing.diff import (
    Change,
    ChangeKind,
    diff_catalogs,
    match_entities,
    match_fields,
    renamed_choices,
    storage_of,
)  # fmt: skip
from metadata.publishing.fills import fill_default, map_choice
from metadata.store import Head, catalog_row
from storage.batch import Applied, Batch, CatalogMoved, Cause, ChangeRow, Execute, Expect, Guard, Statement
from storage.engine import Dialect, Engine
from storage.sql import compile

DOCUMENT = "document"
"""The `entity` of change events about documents; their record id is `<kind>/<name>`."""


@dataclass(frozen=True, slots=True)
class Published:
    """A publish that was done: the company's new version, its catalog, and what changed."""

    version: int
    catalog: Catalog
    changes: tuple[Change, ...]


@dataclass
class Steps:
    """What has to be done to rows, and what must hold of them, found by comparing two catalogs."""

    fills: list[Execute] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


async def publish(
    engine: Engine,
    namespace: str,
    current: Head | None,
    upserts: Documents,
    removals: Collection[tuple[str, str]] = (),
    *,
    expected_version: int | None = None,
    allow_loss: Collection[str] = (),
    author_id: str | None = None,
    limits: Limits = DEFAULTS,
) -> Published:
    """Merge documents over the current ones and make them what the company serves.

    Raises `DocumentsInvalid` with every fault found; `Conflict` when the company is at another version than
    `expected_version`, or moved while this ran. Documents that change nothing publish nothing.
    """
    base = current.version if current is not None else 0
    if expected_version is not None and expected_version != base:
        raise _moved(base)
    before = current.catalog if current is not None else None
    documents = merge(before.documents if before is not None else {}, upserts, removals)
    physical = before.physical if before is not None else None
    # Building takes about a second per thousand entities: not on the event loop.
    catalog = await asyncio.to_thread(next_catalog, documents, physical, upserts.keys(), limits)
    if before is not None and catalog.hash == before.hash:
        return Published(base, before, ())
    changes = diff_catalogs(before, catalog)
    steps = await plan_steps(Census(engine, namespace), before, catalog, changes, allow_loss, engine.dialect)
    if steps.faults:
        raise DocumentsInvalid(tuple(steps.faults))
    ddl = migration_ddl(before, catalog, engine.dialect)
    outcome = await engine.migrate(namespace, ddl, _batch(base, before, catalog, steps, author_id, engine.dialect))
    match outcome:
        case Applied():
            return Published(base + 1, catalog, changes)
        case CatalogMoved(version):
            raise _moved(version)
        case _:
            raise Conflict(
                Text("records changed while publishing: publish again", "发布期间记录发生了变化：请重新发布")
            )


def merge(current: Documents, upserts: Documents, removals: Collection[tuple[str, str]]) -> Documents:
    """The documents after a publish. One that is new under its name takes the place of those that its x-was names."""
    replaced = {
        (kind, str(old))
        for (kind, name), document in upserts.items()
        if (kind, name) not in current
        and isinstance(document, Mapping)
        and isinstance(was := document.get("x-was"), list | tuple)
        for old in was
    }
    gone = (set(removals) | replaced) - upserts.keys()
    return {**{key: document for key, document in current.items() if key not in gone}, **upserts}


async def plan_steps(
    census: Census,
    before: Catalog | None,
    after: Catalog,
    changes: Collection[Change],
    allow_loss: Collection[str],
    dialect: Dialect,
) -> Steps:
    """Fills, guards and the faults that rows make, for going from one catalog to the next."""
    steps = Steps()
    old = before.entities if before is not None else {}
    await _check_losses(census, old, after, changes, allow_loss, steps.faults)
    for name, previous in match_entities(old, after.entities).items():
        entity = after.entities[name]
        if await census.is_empty(previous):
            continue
        matched = match_fields(previous, entity)
        for item in entity.fields.values():
            same = matched.get(item.name)
            if same is not None and storage_of(same) != storage_of(item):
                same = None
            if item.columns and not item.system:
                await _plan_field(census, entity, item, same, dialect, steps)
        await _check_uniques(census, previous, entity, matched, steps.faults)
        await _check_rules(census, previous, entity, steps.faults)
    return steps


async def _check_losses(
    census: Census,
    old: Mapping[str, Entity],
    after: Catalog,
    changes: Collection[Change],
    allow_loss: Collection[str],
    faults: list[Fault],
) -> None:
    tables = {entity.table_name: entity for entity in old.values()}
    for change in changes:
        if change.loss is None or change.loss in allow_loss or change.subject not in ("entity", "field"):
            continue
        entity = old.get(change.path[0])
        if change.path[0] in after.entities:
            entity = tables.get(after.entities[change.path[0]].table_name)
        if entity is None or await census.is_empty(entity):
            continue
        path = ("entity", change.path[0], *(("properties", change.path[1]) if len(change.path) > 1 else ()))
        faults.append(Fault(path, LOSS, _loss_text(change), {"allowLoss": change.loss}))


def _loss_text(change: Change) -> Text:
    allowed = f"(allowLoss, --allow-loss {change.loss})"
    if change.kind is ChangeKind.RETYPED:
        return Text(
            f"the values of {change.loss!r} cannot be kept in its new type: allow that it starts empty {allowed}",
            f"“{change.loss}”的值无法保留到新类型：如允许清空请注明 {allowed}",
        )
    was = f'"x-was": ["{change.path[-1]}"]'
    return Text(
        f"records would lose {change.loss!r}: allow it {allowed}; what only has a new name says {was} there",
        f"记录将丢失“{change.loss}”：如确需如此请注明 {allowed}；如只是改名，请在新名称处写 {was}",
    )


async def _plan_field(
    census: Census, entity: Entity, item: Field, same: Field | None, dialect: Dialect, steps: Steps
) -> None:
    path = ("entity", entity.name, "properties", item.name)
    if same is not None:
        for was, value in renamed_choices(same, item).items():
            steps.fills.append(map_choice(entity, item, was, value, dialect))
        await _check_choices(census, entity, item, same, path, steps.faults)
    if not item.required or item.type.generated or (same is not None and same.required):
        return
    if item.has_default:
        steps.fills.append(fill_default(entity, item, dialect))
    else:
        missing = await census.count_nulls(entity, same) if same is not None else await census.count(entity)
        if missing:
            en = f"{missing:,} records have no {item.name!r}: give a default, or fill them before it is required"
            zh = f"有 {missing:,} 条记录的“{item.name}”为空：请提供默认值或先补全"
            steps.faults.append(Fault(path, ROWS, Text(en, zh), {"count": missing}))
    guard = compile(null_rows(entity, item), dialect)
    steps.guards.append(Guard(("required", *path), guard, (), Expect.NO_ROW, after=True))


async def _check_choices(
    census: Census, entity: Entity, item: Field, same: Field, path: tuple[str, ...], faults: list[Fault]
) -> None:
    """A value goes only when no row holds it, deleted rows included."""
    if not item.choices:
        return
    kept = {choice.value for choice in item.choices} | renamed_choices(same, item).keys()
    for choice in same.choices:
        if choice.value in kept:
            continue
        held = await census.count_value(entity, same, choice.value)
        if held:
            en = f"{held:,} records hold {choice.value!r}: retire it, or name it in x-was of another choice"
            zh = f"有 {held:,} 条记录的值为“{choice.value}”：请将其停用，或写入其他选项的 x-was"
            faults.append(Fault((*path, "enum"), ROWS, Text(en, zh), {"count": held, "value": choice.value}))


async def _check_uniques(
    census: Census, previous: Entity, entity: Entity, matched: Mapping[str, Field], faults: list[Fault]
) -> None:
    there = {unique.index for unique in previous.uniques}
    for index, unique in enumerate(entity.uniques):
        columns = [entity.fields[name].columns[0] for name in unique.fields]
        known = {column.name for item in matched.values() for column in item.columns}
        if unique.index in there or any(column.name not in known for column in columns):
            continue
        groups = await census.count_duplicates(entity, columns, unique.ignore_case)
        if groups:
            shown = ", ".join(unique.fields)
            en = f"{groups:,} values of ({shown}) occur in more than one record: mend them first"
            zh = f"({shown}) 有 {groups:,} 个值出现在多条记录中：请先处理"
            path = ("entity", entity.name, "x-unique", str(index))
            faults.append(Fault(path, ROWS, Text(en, zh), {"count": groups}))


async def _check_rules(census: Census, previous: Entity, entity: Entity, faults: list[Fault]) -> None:
    """A rule with `enforce: now` that is new or changed holds for every record there is."""
    there = {column.name for item in previous.fields.values() for column in item.columns}
    for index, rule in enumerate(entity.rules):
        if not rule.enforce_now or rule in previous.rules:
            continue
        broken = await census.count_breaking(entity, rule, there)
        if broken:
            en = f"{broken:,} records break the rule {rule.name!r}: mend them, or publish it without enforce: now"
            zh = f"有 {broken:,} 条记录违反规则“{rule.name}”：请先处理，或去掉 enforce: now"
            path = ("entity", entity.name, "x-rules", str(index))
            faults.append(Fault(path, ROWS, Text(en, zh), {"count": broken}))


def _batch(
    base: int, before: Catalog | None, after: Catalog, steps: Steps, author_id: str | None, dialect: Dialect
) -> Batch:
    at = now()
    row: Statement = catalog_row(base + 1, after, at, author_id, dialect)
    return Batch(
        at=timestamp(at),
        transaction_id=new_id(),
        cause=Cause(author_id, "publish", {"version": base + 1}),
        catalog_version=base,
        guards=tuple(steps.guards),
        statements=(*steps.fills, row),
        changes=tuple(_events(before.documents if before is not None else {}, after.documents, base + 1)),
        new_catalog_version=base + 1,
    )


def _events(before: Documents, after: Documents, version: int) -> Iterator[ChangeRow]:
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        op = "CREATED" if old is None else "DELETED" if new is None else "UPDATED"
        record = "/".join(key)
        yield ChangeRow(new_id(), DOCUMENT, record, op, version, ("document",), _image(old), _image(new))


def _image(document: Mapping[str, Json] | None) -> Mapping[str, Json] | None:
    return None if document is None else {"document": document}


def _moved(version: int) -> Conflict:
    return Conflict(
        Text(
            f"the company is at version {version} now: read its documents again and publish over them",
            f"公司当前版本为 {version}：请重新读取文档后再发布",
        ),
        {"version": version},
    )
