"""The work that a planned publish makes, per table, as `metadata.publishing.cost` prices it."""

from __future__ import annotations

from collections import Counter

from metadata.publishing.census import Census
from metadata.publishing.cost import TableWork
from metadata.publishing.ddl import column_specs
from metadata.publishing.planning import Planned


async def table_works(census: Census, planned: Planned) -> tuple[TableWork, ...]:
    """What is done to each table that is touched; tables that nothing is done to are left out."""
    plan = planned.plan
    indexes = Counter(shape.table for shape in plan.indexes)
    dropped = Counter(shape.table for shape in plan.dropped)
    fills = Counter(default.entity.table_name for default in plan.defaults if not default.added)
    fills.update(renaming.entity.table_name for renaming in plan.renamings)
    conversions = Counter(move.entity.table_name for move in plan.moves)
    checks = Counter(check.entity.table_name for check in planned.checks)
    found: list[TableWork] = []
    for entity in plan.after.entities.values():
        table = entity.table_name
        there = plan.there.get(table)
        if there is None:
            found.append(TableWork(entity.name, table, 0, True, len(column_specs(entity)), indexes[table]))
            continue
        columns = sum(1 for name, _, _ in column_specs(entity) if name not in there)
        if not any((columns, indexes[table], dropped[table], fills[table], conversions[table], checks[table])):
            continue
        rows = await census.rows(entity) if table in planned.touched else 0
        found.append(
            TableWork(
                entity.name,
                table,
                rows,
                columns=columns,
                indexes=indexes[table],
                dropped_indexes=dropped[table],
                fills=rows * fills[table],
                conversions=rows * conversions[table],
                checks=checks[table],
            )
        )
    return tuple(found)
