"""Writes to all records that a filter matches: first they are found through the gate, then written one like another."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from access.grant import Operation
from base.errors import BadInput, Fault, Text
from base.json import Json
from records.alias import Alias, Names
from records.command import DeleteWhere, UpdateWhere
from records.reading.filters import Filters
from records.selection import Constant
from records.writing.change import update_record, wanted_update
from records.writing.delete import delete_records
from records.writing.draft import Draft
from records.writing.probe import Probe, Values
from records.writing.refusals import over_limit
from records.writing.rights import permit_row
from records.writing.target import Target, Wanted, read_targets
from records.writing.writeplan import WritePlan
from storage.sql import constant


async def update_where(draft: Draft, plan: WritePlan, command: UpdateWhere) -> list[str]:
    """Stage the same changes to every readable record that matches; gives their ids in id order.

    Raises `Forbidden` when one of them may be read but not changed so: all or nothing.
    """
    targets = await _matching(draft, plan, command, wanted_update(plan, command.input))
    for target in targets:
        await update_record(draft, plan, target, command.input)
        if draft.faults:
            return []
    return [str(target.row["id"]) for target in targets]


async def delete_where(draft: Draft, plan: WritePlan, command: DeleteWhere) -> list[str]:
    """Stage the soft deletion of every readable record that matches; gives their ids in id order."""
    targets = await _matching(draft, plan, command, Wanted((Operation.DELETE,)))
    for target in targets:
        permit_row(plan, target, Operation.DELETE, ("filter",))
    await delete_records(draft, plan, {str(target.row["id"]): (target, ("filter",)) for target in targets})
    return [str(target.row["id"]) for target in targets]


async def _matching(draft: Draft, plan: WritePlan, command: UpdateWhere | DeleteWhere, wanted: Wanted) -> list[Target]:
    """The targets, or none and a LIMIT fault. Raises `BadInput` for an empty filter without `all`."""
    if not command.all and not any(value is not None for value in command.filter.values()):
        raise BadInput(
            Text(
                "An empty filter means every record: say so with `all: true`",
                "空筛选条件表示全部记录：请用 all: true 明确说明",
            )
        )
    most = draft.snapshot.limits.mutation_rows
    if command.at_most < 1:
        raise BadInput(Text("atMost must be at least 1", "atMost 至少为 1"))
    if command.at_most > most:
        draft.faults.append(
            over_limit(
                ("atMost",),
                f"At most {most} records at once: use an import or smaller steps",
                f"一次最多 {most} 条记录：请使用导入或分批处理",
                most,
            )
        )
        return []
    found = await _probe(draft, plan, command.filter, command.at_most + 1).rows(draft.snapshot, {})
    decode = plan.slots["id"].decode
    ids = [str(decode(row[0])) for row in found]
    if len(ids) > command.at_most:
        draft.faults.append(_too_many(command.at_most))
        return []
    targets = await read_targets(draft, plan, ids, wanted)
    return [targets[item] for item in ids if item in targets]


def _probe(draft: Draft, plan: WritePlan, filter: Mapping[str, Json], limit: int) -> Probe:
    plans = plan.plans
    values = Values(plans.dialect, plans.limits)
    names = Names()
    alias = Alias(plan.entity, names.next("t"), names)
    condition = Filters(plans.gate, values).condition(alias, Constant(filter))
    query = sa.select(alias.field("id")).select_from(alias.table)
    query = query.where(alias.live(), plans.gate.rows(alias), condition).order_by(alias.field("id"))
    return Probe(query.limit(constant(limit)), values)


def _too_many(most: int) -> Fault:
    return over_limit(
        ("atMost",),
        f"More than {most} records match: nothing was done; raise atMost or narrow the filter",
        f"匹配的记录超过 {most} 条：未做任何更改；请提高 atMost 或缩小筛选范围",
        most,
    )
