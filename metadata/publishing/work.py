"""The work that a publish makes, per table, as `metadata.publishing.cost` prices it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from metadata.catalog import Catalog, Entity
from metadata.field import Field
from metadata.publishing.census import Census
from metadata.publishing.cost import TableWork
from metadata.publishing.ddl import column_specs, entity_indexes
from metadata.publishing.diff import match_entities, match_fields, renamed_choices, storage_of
from storage.engine import Dialect


async def table_works(census: Census, before: Catalog, after: Catalog, dialect: Dialect) -> tuple[TableWork, ...]:
    """What is done to each table that is touched; tables that nothing is done to are left out."""
    matched = match_entities(before.entities, after.entities)
    found: list[TableWork] = []
    for name, entity in after.entities.items():
        previous = matched.get(name)
        if previous is None:
            indexes = sum(1 for _ in entity_indexes(entity, dialect))
            found.append(TableWork(name, entity.table_name, 0, True, len(column_specs(entity)), indexes))
        elif previous != entity:
            work = await _work(census, previous, entity, dialect)
            if work is not None:
                found.append(work)
    return tuple(found)


async def _work(census: Census, previous: Entity, entity: Entity, dialect: Dialect) -> TableWork | None:
    fields = match_fields(previous, entity)
    there = {column for column, _, _ in column_specs(previous)}
    columns = sum(1 for column, _, _ in column_specs(entity) if column not in there)
    old = {shape.name for shape in entity_indexes(previous, dialect)}
    new = {shape.name for shape in entity_indexes(entity, dialect)}
    filled = list(_filled(entity, fields))
    converted = [
        item
        for item in entity.fields.values()
        if item.name in fields and item.columns and storage_of(fields[item.name]) != storage_of(item)
    ]
    checks = sum(
        1 for item in entity.fields.values() if item.required and item.name in fields and not fields[item.name].required
    )
    checks += sum(1 for rule in entity.rules if rule.enforce_now and rule not in previous.rules)
    if not (columns or old != new or filled or converted or checks):
        return None
    rows = await census.count(previous)
    fills = 0
    for item in filled:
        same = fields.get(item.name)
        known = same is not None and storage_of(same) == storage_of(item)
        fills += await census.count_nulls(previous, same) if known and same is not None and item.has_default else rows
    return TableWork(
        entity.name,
        entity.table_name,
        rows,
        columns=columns,
        indexes=len(new - old),
        dropped_indexes=len(old - new),
        fills=fills,
        conversions=rows * len(converted),
        checks=checks,
    )


def _filled(entity: Entity, fields: Mapping[str, Field]) -> Iterator[Field]:
    """Fields whose rows get values: a default where they become required, a renamed choice."""
    for item in entity.fields.values():
        if not item.columns or item.system:
            continue
        same = fields.get(item.name)
        newly_required = item.required and (same is None or not same.required)
        if (newly_required and item.has_default) or (same is not None and item.choices and renamed_choices(same, item)):
            yield item
